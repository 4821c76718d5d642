package s3

import (
	"context"
	"net/url"

	"packhouse/internal/blob"
)

// Link implements blob.Linker: an address that is signed for Options.LinkLife.
func (s *Store) Link(ctx context.Context, key blob.Key, as blob.LinkHeader) (address string, ok bool, err error) {
	if _, _, valid := key.Split(); !s.options.Redirect || !valid {
		return "", false, nil
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
		return "", true, explain(err)
	}
	return u.String(), true, nil
}
