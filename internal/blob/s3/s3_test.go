package s3_test

import (
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/s3/s3test"
)

func TestStore(t *testing.T) {
	server := s3test.Start(t)
	blobtest.Run(t, func(t *testing.T) blob.Store { return s3test.Open(t, server.Bucket(t)) })
}
