// Package blob keeps immutable bytes outside the database: files too large to
// live in a row. It knows nothing of packages, versions or names.
//
// Bytes are named by a Key: their SHA-256 and the upload that wrote them. The
// upload is part of the name so that two uploads of the same bytes never share
// a stored copy before the database has chosen one of them. Whoever removes a
// key therefore removes a copy that nobody else can be about to refer to, which
// is what makes online collection safe without locks or waiting periods
// (docs/adr/0003-blob-keys.md). Deduplication happens one floor up: the
// database maps each digest to one key and the loser's copy is deleted.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"time"

	"packhouse"
)

// Key names one stored copy: 64 lower-case hexadecimal digits of the SHA-256, a
// dot, and the upload's id, which is 26 lower-case letters and digits. It is
// safe as a file name and as an object key.
type Key string

// Info describes stored bytes.
type Info struct {
	Key     Key
	Digest  packhouse.Digest
	Size    int64
	ModTime time.Time
}

// Errors that a Store returns, found with errors.Is.
var (
	// ErrNotFound means that nothing is stored under the key or upload id.
	ErrNotFound = errors.New("blob not found")
	// ErrFull means that there is no room left. What was being written is of no
	// use and should be aborted; everything stored before is intact.
	ErrFull = errors.New("blob store is full")
	// ErrBroken means that the store could not make bytes durable (a failed
	// fsync). It accepts no more writes until it is opened again, because after
	// such a failure nobody can say what the disk holds. Reads go on.
	ErrBroken = errors.New("blob store stopped writing after a failed sync")
	// ErrUnavailable means that the service behind the store could not be reached
	// or refused, after as many attempts as make sense at once. A later call may
	// succeed; what was being written is of no use and should be aborted.
	ErrUnavailable = errors.New("blob store is not available")
	// ErrAltered means that stored bytes are not those that were stored. A store
	// that checks while it reads returns it in place of the last of them.
	ErrAltered = errors.New("the stored bytes have changed")
	// ErrBusy means that the upload is open elsewhere in this process. It is
	// what keeps two requests from interleaving their bytes in one upload, and
	// the collector from removing one that is still being written.
	ErrBusy = errors.New("upload is in use")
)

// Store keeps blobs. All methods may be called concurrently. An error that is
// none of the above is an I/O failure that a later attempt may not meet.
type Store interface {
	// Create begins an upload under a new id.
	Create(ctx context.Context) (Upload, error)

	// Resume continues an upload that was closed without Commit or Abort, in
	// this process or an earlier one, at the byte where it stopped.
	// ErrNotFound: no such upload. ErrBusy: somebody in this process has it open;
	// between processes the callers have to agree who resumes. What Uploads
	// finds and nobody wants is removed by Resume and Abort.
	Resume(ctx context.Context, id string) (Upload, error)

	// Open reads a blob. The caller closes it. ErrNotFound: no such key.
	// Deleting a key does not disturb readers that have it open.
	Open(ctx context.Context, key Key) (Reader, error)

	// Stat describes a blob without reading it. ErrNotFound: no such key.
	Stat(ctx context.Context, key Key) (Info, error)

	// Delete removes a blob. Deleting an absent key is no error. A crash may
	// bring a deleted blob back; List finds it then. A full or broken store
	// still deletes as far as it can.
	Delete(ctx context.Context, key Key) error

	// List visits all blobs in the order of their keys, starting after the given
	// one ("" for all). Blobs that come or go meanwhile may be seen or not. A
	// listing that fails ends with the error.
	List(ctx context.Context, after Key) iter.Seq2[Info, error]

	// Uploads visits the uploads that were begun and neither committed nor
	// aborted, those being written at this moment included, in no order. A
	// listing that fails ends with the error.
	Uploads(ctx context.Context) iter.Seq2[UploadInfo, error]
}

// UploadInfo describes an upload that is not finished.
type UploadInfo struct {
	ID      string
	Size    int64
	ModTime time.Time // of the last write
}

// Upload is a write in progress. It belongs to one goroutine. Commit, Abort or
// Close ends it, whether they succeed or not; of these only Abort may be called
// on an upload that has ended, which makes it fit for defer.
//
// After a Write that failed the upload is fit for Abort, or for Close when the
// caller compares Size with what it hashed before it goes on.
type Upload interface {
	io.Writer

	// ID names the upload for Resume; it becomes part of the key.
	ID() string

	// Size is the number of bytes written so far, by earlier sessions too.
	Size() int64

	// Commit makes the bytes durable under their digest and returns once they
	// would survive a power cut. The caller vouches for the digest; use Put or
	// a Hasher.
	//
	// After an error the blob is not stored as far as the store can help it. One
	// that lost the answer of a remote service cannot know; what was written is
	// found by List or Uploads and collected. Whoever will not try again calls
	// Abort, and Delete with the key that Commit would have returned.
	Commit(ctx context.Context, digest packhouse.Digest) (Info, error)

	// Abort throws the bytes away. It does nothing after Abort, Close or a Commit
	// that succeeded; after a Commit that failed it removes what that left.
	Abort(ctx context.Context) error

	// Close keeps the bytes for a later Resume and returns once they would
	// survive a power cut, so that a Hasher's state saved afterwards is true of
	// them. After an error the bytes may be gone.
	Close() error
}

// Reader reads a stored blob. On disk it is also an *os.File underneath, found
// with the Filer interface, which lets the network stack use sendfile(2).
type Reader interface {
	io.ReadSeekCloser
	Size() int64
}

// Filer is implemented by a Reader that reads a file of this machine.
type Filer interface {
	// File returns the open file. It shares its offset with the Reader, which
	// stays the one to close it.
	File() *os.File
}

// Roomer is a Store that keeps a reserve of free space on its file system, and
// guards it also against what others write there. The database beside the blobs
// asks it before it takes in a small file, so that recording a delete never
// fails for want of space.
type Roomer interface {
	// Room returns ErrFull when n bytes more would eat into the reserve.
	Room(n int) error
}

// Sharer is a Store that other processes write to as well. Uploads under way
// there are not known here, so a collector leaves alone what is younger than any
// upload can be that somebody still means to publish.
type Sharer interface {
	Shared()
}

// Linker is a Store that can send clients to the bytes.
type Linker interface {
	// Links reports whether the store is set to do so.
	Links() bool
	// Link returns an address from which anybody who has it can read a blob for
	// a while, and which answers with the given fields. It does not look whether
	// the blob is there. ErrNotFound: the key is none.
	Link(ctx context.Context, key Key, as LinkHeader) (address string, err error)
}

// LinkHeader are the fields of an answer that a link decides; "" leaves one to
// the service.
type LinkHeader struct {
	ContentType, ContentDisposition, CacheControl string
}
