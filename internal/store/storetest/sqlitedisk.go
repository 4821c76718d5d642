package storetest

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLiteDisk is what the files of one SQLite database are kept on. It fails by
// plan and remembers what it has confirmed. It stands between SQLite and its
// usual file layer, so everything above is the real thing.
type SQLiteDisk struct {
	mu        sync.Mutex
	writes    int            // so far
	syncs     int            // so far
	failing   map[string]int // result codes by call: "write 3", "sync 1"
	full      int            // after how many writes the disk is full; 0 for never
	struck    int
	confirmed map[string][]byte // contents of files at their last sync, by path; nil not to remember
}

// file is an open file of a disk.
type file struct {
	disk  *SQLiteDisk
	path  string
	below uintptr // the methods of the usual file layer
}

// vfs is the file layer that all databases of the process are opened with from
// the first SQLiteDisk on. Files of databases without one pass it untouched.
var vfs struct {
	sync.Mutex
	usual uintptr
	disks map[string]*SQLiteDisk // by path of the database
	files map[uintptr]file       // by SQLite's file object
}

// NewSQLiteDisk makes the disk for the database at path, before it is opened.
func NewSQLiteDisk(path string) *SQLiteDisk {
	registerVFS()
	d := &SQLiteDisk{failing: map[string]int{}}
	vfs.Lock()
	defer vfs.Unlock()
	vfs.disks[path] = d
	return d
}

// Fail makes one call from now on fail with a result code of SQLite: call is
// "write" or "sync", and the next one is number 1. A write that fails leaves half
// of what it wrote. Earlier plans are forgotten.
func (d *SQLiteDisk) Fail(call string, n, code int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes, d.syncs, d.struck, d.full = 0, 0, 0, 0
	d.failing = map[string]int{fmt.Sprintf("%s %d", call, n): code}
}

// Heal makes nothing fail from now on, and counts from nothing again.
func (d *SQLiteDisk) Heal() { d.Fail("nothing", 0, 0) }

// Room makes the disk full after a number of writes from now on.
func (d *SQLiteDisk) Room(writes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = d.writes + writes
}

// Counts returns how many calls there were since Fail, and how many failed.
func (d *SQLiteDisk) Counts() (writes, syncs, struck int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.writes, d.syncs, d.struck
}

// Remember makes the disk keep what its files hold at each sync.
func (d *SQLiteDisk) Remember() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.confirmed = map[string][]byte{}
}

// PowerCut returns what the files would hold after a power cut at this moment, by
// path: what they held at their last sync.
func (d *SQLiteDisk) PowerCut() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.confirmed)
}

// call counts a call and returns the code with which it fails, or 0.
func (d *SQLiteDisk) call(name string, count *int) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	*count++
	code := d.failing[fmt.Sprintf("%s %d", name, *count)]
	if name == "write" && d.full != 0 && d.writes > d.full {
		code = sqlite3.SQLITE_FULL
	}
	if code != 0 {
		d.struck++
	}
	return int32(code)
}

func (d *SQLiteDisk) confirm(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.confirmed == nil {
		return
	}
	if content, err := os.ReadFile(path); err == nil {
		d.confirmed[path] = content
	}
}

// at reads a pointer of SQLite's own memory, which the garbage collector does
// not know.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// call finds the function that SQLite keeps as a number.
func call[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

// number is a function as SQLite keeps it. It has to be one that always exists.
func number[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

type (
	openFunc  = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	closeFunc = func(*libc.TLS, uintptr) int32
	writeFunc = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	syncFunc  = func(*libc.TLS, uintptr, int32) int32
)

var registerVFS = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	vfs.usual = sqlite3.Xsqlite3_vfs_find(tls, 0)
	vfs.disks, vfs.files = map[string]*SQLiteDisk{}, map[uintptr]file{}
	ours := sqlite3.Xsqlite3_malloc(tls, int32(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	name, err := libc.CString("packhouse-test")
	if err != nil {
		panic(err)
	}
	*at[sqlite3.Tsqlite3_vfs](ours) = *at[sqlite3.Tsqlite3_vfs](vfs.usual)
	at[sqlite3.Tsqlite3_vfs](ours).FzName = name
	at[sqlite3.Tsqlite3_vfs](ours).FxOpen = number[openFunc](vfsOpen)
	sqlite3.Xsqlite3_vfs_register(tls, ours, 1)
})

// vfsOpen opens a file with the usual layer, and puts our methods over it where it
// is on a disk of ours.
func vfsOpen(tls *libc.TLS, self, name, object uintptr, flags int32, out uintptr) int32 {
	code := call[openFunc](at[sqlite3.Tsqlite3_vfs](vfs.usual).FxOpen)(tls, self, name, object, flags, out)
	path := ""
	if name != 0 {
		path = libc.GoString(name)
	}
	vfs.Lock()
	defer vfs.Unlock()
	d := vfs.disks[strings.TrimSuffix(path, "-wal")]
	if code != sqlite3.SQLITE_OK || d == nil {
		return code
	}
	below := at[sqlite3.Tsqlite3_file](object).FpMethods
	vfs.files[object] = file{disk: d, path: path, below: below}
	methods := sqlite3.Xsqlite3_malloc(tls, int32(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{}))) // given back by vfsClose
	*at[sqlite3.Tsqlite3_io_methods](methods) = *at[sqlite3.Tsqlite3_io_methods](below)
	at[sqlite3.Tsqlite3_io_methods](methods).FxClose = number[closeFunc](vfsClose)
	at[sqlite3.Tsqlite3_io_methods](methods).FxWrite = number[writeFunc](vfsWrite)
	at[sqlite3.Tsqlite3_io_methods](methods).FxSync = number[syncFunc](vfsSync)
	at[sqlite3.Tsqlite3_file](object).FpMethods = methods
	return code
}

func opened(object uintptr) file {
	vfs.Lock()
	defer vfs.Unlock()
	return vfs.files[object]
}

func vfsClose(tls *libc.TLS, object uintptr) int32 {
	f := opened(object)
	vfs.Lock()
	delete(vfs.files, object)
	vfs.Unlock()
	sqlite3.Xsqlite3_free(tls, at[sqlite3.Tsqlite3_file](object).FpMethods)
	at[sqlite3.Tsqlite3_file](object).FpMethods = f.below
	return call[closeFunc](at[sqlite3.Tsqlite3_io_methods](f.below).FxClose)(tls, object)
}

// vfsWrite leaves half of what it fails to write behind.
func vfsWrite(tls *libc.TLS, object, data uintptr, n int32, offset int64) int32 {
	f := opened(object)
	write := call[writeFunc](at[sqlite3.Tsqlite3_io_methods](f.below).FxWrite)
	if code := f.disk.call("write", &f.disk.writes); code != 0 {
		write(tls, object, data, n/2, offset)
		return code
	}
	return write(tls, object, data, n, offset)
}

func vfsSync(tls *libc.TLS, object uintptr, flags int32) int32 {
	f := opened(object)
	if code := f.disk.call("sync", &f.disk.syncs); code != 0 {
		return code
	}
	code := call[syncFunc](at[sqlite3.Tsqlite3_io_methods](f.below).FxSync)(tls, object, flags)
	f.disk.confirm(f.path)
	return code
}
