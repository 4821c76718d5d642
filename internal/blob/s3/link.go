package s3

import (
	"context"
	"fmt"
	"net/url"

	"packhouse/internal/blob"
)

// Links implements blob.Linker.
func (s *Store) Links() bool { return s.options.Redirect }

// Link implements blob.Linker: an address that is signed for Options.LinkLife.
func (s *Store) Link(ctx context.Context, key blob.Key, as blob.LinkHeader) (string, error) {
	if _, _, ok := key.Split(); !ok {
		return "", fmt.Errorf("link to blob: %w", blob.ErrNotFound)
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"response-content-type": as.ContentType, "response-content-disposition": as.ContentDisposition,
		"response-cache-control": as.CacheControl,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	u, err := s.client.PresignedGetObject(ctx, s.options.Bucket, s.blobName(key), s.options.LinkLife, query)
	if err != nil {
		return "", fmt.Errorf("link to blob: %w", explain(err))
	}
	return u.String(), nil
}
