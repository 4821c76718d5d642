package house

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"packhouse/internal/blob"
	"packhouse/internal/blob/disk"
	"packhouse/internal/blob/s3"
)

// openBlobs opens where the larger files are: in the bucket of an address, or
// in the data folder when there is none.
func openBlobs(ctx context.Context, address, data string, reserve int64, log *slog.Logger) (blob.Store, io.Closer, error) {
	if address == "" {
		files, err := disk.New(filepath.Join(data, filesFolder), disk.Options{Reserve: reserve, Log: log})
		if err != nil {
			return nil, nil, fmt.Errorf("open the folder of files: %w", err)
		}
		return files, files, nil
	}
	at, err := s3.Parse(address)
	if err != nil {
		return nil, nil, fmt.Errorf("the address of the bucket cannot be used: %w", err)
	}
	at.Log = log
	bucket, err := s3.New(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	return bucket, bucket, nil
}
