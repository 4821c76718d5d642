//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

// container is what pushes and pulls images.
var container = &ecosystem{name: "container"}

const (
	layerSize    = 64 << 10
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// asImage is what clients say that they understand.
var asImage = map[string]string{"Accept": manifestType}

func containerOperations() []operation {
	throughput := func(least float64) []report.Bound {
		return []report.Bound{{Metric: report.Throughput, Relative: true, AtLeast: true, Limit: least, Quiet: true}}
	}
	return []operation{
		{"image manifest by tag, of 10 tags", "P", "N", tags(10).manifest("GET"), cpu(2)},
		{"image manifest by tag, of 10 tags, HEAD", "P", "N", tags(10).manifest("HEAD"), cpu(2)},
		{"image manifest by tag, of 100,000 tags beside 10", "P", "p", fewer(tags(100_000), tags(10)), cpu(1.1)},
		{"image manifest by tag, of 1,000 tags", "P", "Z", tags(1000).manifest("GET"), times(2)},
		{"image manifest by tag, of 1,000 tags", "P", "D", tags(1000).manifest("GET"), times(2)},
		{"image manifest by tag, of 1,000 tags, HEAD", "P", "Z", tags(1000).manifest("HEAD"), times(2)},
		{"image manifest by tag, of 1,000 tags, HEAD", "P", "D", tags(1000).manifest("HEAD"), times(2)},
		{"image blob, 4 KiB", "P", "N", tags(10).blob, cpu(2)},
		{"image blob, 4 KiB", "P", "Z", tags(10).blob, times(2)},
		{"image blob, 4 KiB", "P", "D", tags(10).blob, times(2)},
		{"image tags, list of 10,000", "P", "N", tags(10_000).list, cpu(2)},
		{"image tags, list of 1,000", "P", "Z", tags(1000).list, times(2)}, // which takes minutes to have ten thousand
		{"image tags, list of 10,000", "P", "D", tags(10_000).list, times(2)},
		{"image tags, deletion of 1,000 of 100,000 beside 1,000", "P", "p", deletions, cpu(1.2)},
		{"image tags, deletion of 1,000", "P", "Z", deletion(1000), times(2)},
		{"image tags, deletion of 1,000", "P", "D", deletion(1000), times(2)},
		{"image blob, pull of 100 MiB", "P", "N", pullLarge, throughput(0.95)},
		{"image blob, pull of 100 MiB", "P", "Z", pullLarge, throughput(1)},
		{"image blob, pull of 100 MiB", "P", "D", pullLarge, throughput(1)},
		{"image blob, push of 100 MiB", "P", "S", pushLarge, throughput(0.5)},
		{"image blob, push of 100 MiB", "P", "Z", pushLarge, throughput(1)},
		{"image blob, push of 100 MiB", "P", "D", pushLarge, throughput(1)},
		{"image blob, push of 64 KiB, c8", "P", "S", pushing(blobAlone), share(0.5)},
		{"image blob, push of 64 KiB, c8", "P", "Z", pushing(blobAlone), times(2)},
		{"image blob, push of 64 KiB, c8", "P", "D", pushing(blobAlone), times(2)},
		{"image push, c8", "P", "S", pushing(wholeImage), share(0.08)}, // five requests beside one
		{"image push, c8", "P", "Z", pushing(wholeImage), times(2)},
		{"image push, c8", "P", "D", pushing(wholeImage), times(2)},
		{"image pull of 20 layers, c32", "P", "Z", pulling, times(2)},
		{"image pull of 20 layers, c32", "P", "D", pulling, times(2)},
	}
}

// images is where a server has repositories.
func images(s *server) string {
	if s.letter == "P" {
		return "/v2/root/bench"
	}
	return "/v2/bench"
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// pushBlob asks for an upload and puts all of it there, as clients do.
func pushBlob(repository string, data []byte) load.Made {
	put := load.Made{
		Method: "PUT", Path: load.Location + "digest=" + digest(data),
		Header: map[string]string{"Content-Type": "application/octet-stream"}, Body: data,
	}
	return load.Made{Method: "POST", Path: repository + "/blobs/uploads/", Then: []load.Made{put}}
}

// image is what the n-th image consists of.
type image struct {
	config   []byte
	layers   [][]byte
	manifest []byte
}

func makeImage(n int64, layers ...[]byte) image {
	config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"author":"%d"}`, n)
	described := func(kind string, data []byte) map[string]any {
		return map[string]any{"mediaType": kind, "digest": digest(data), "size": len(data)}
	}
	var all []map[string]any
	for _, layer := range layers {
		all = append(all, described(layerType, layer))
	}
	return image{config, layers, encode(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": described(configType, config), "layers": all,
	})}
}

// tagged is the push of a manifest under a tag.
func (i image) tagged(repository, tag string) load.Made {
	return load.Made{
		Method: "PUT", Path: repository + "/manifests/" + tag, Header: map[string]string{"Content-Type": manifestType}, Body: i.manifest,
	}
}

// push is all requests of a push, one after the other.
func (i image) push(repository, tag string) load.Made {
	first := pushBlob(repository, i.config)
	for _, layer := range i.layers {
		made := pushBlob(repository, layer)
		first.Then = append(append(first.Then, load.Made{Method: made.Method, Path: made.Path}), made.Then...)
	}
	first.Then = append(first.Then, i.tagged(repository, tag))
	return first
}

// pull is all requests of a pull.
func (i image) pull(repository, tag string) load.Made {
	made := load.Made{Method: "GET", Path: repository + "/manifests/" + tag, Header: asImage}
	for _, blob := range append([][]byte{i.config}, i.layers...) {
		made.Then = append(made.Then, load.Made{Method: "GET", Path: repository + "/blobs/" + digest(blob)})
	}
	return made
}

func tagName(n int) string { return fmt.Sprintf("v%06d", n) }

// tags is how many tags a repository has, each with a manifest of its own and a layer
// of 4 KiB that all have.
type tags int

func (n tags) repository(s *server) string { return fmt.Sprintf("%s/tags-%d", images(s), n) }

func (tags) layer() []byte { return content(load.FirstNumber, smallSize) }

// fill pushes the tags, unless that was done before, and returns the server.
func (n tags) fill(ctx context.Context, l *lab, letter string) (*server, error) {
	if letter == "N" || letter == "p" {
		letter = "P"
	}
	s, err := l.reuse(ctx, letter, l.memory)
	if err != nil {
		return nil, err
	}
	repository := n.repository(s)
	if s.published[repository] {
		return s, nil
	}
	progress("pushing %d tags to %s", int(n), s.Name)
	err = n.push(ctx, l, s, repository)
	s.published[repository] = err == nil
	return s, err
}

// push pushes an image, and then under the other tags manifests that differ from its
// own in an annotation.
func (n tags) push(ctx context.Context, l *lab, s *server, repository string) error {
	one := makeImage(0, n.layer())
	if err := container.put(ctx, l, s, slices.Values([]load.Made{one.push(repository, tagName(0))})); err != nil {
		return err
	}
	return container.put(ctx, l, s, func(yield func(load.Made) bool) {
		for i := 1; i < int(n); i++ {
			if !yield(one.numbered(i).tagged(repository, tagName(i))) {
				return
			}
		}
	})
}

// numbered is the image with another manifest.
func (i image) numbered(n int) image {
	if n == 0 {
		return i
	}
	i.manifest = append(bytes.TrimSuffix(i.manifest, []byte("}")), fmt.Appendf(nil, `,"annotations":{"n":"%d"}}`, n)...)
	return i
}

// at reads an address below the repository, or from N the same bytes.
func (n tags) at(ctx context.Context, l *lab, letter, method, path string) (sampler, error) {
	s, err := n.fill(ctx, l, letter)
	if err != nil {
		return nil, err
	}
	d := reading{ecosystem: container, header: asImage, method: method, file: func(_, _ string) string { return "" }}
	return d.at(ctx, l, letter, s, n.repository(s)+path)
}

func (n tags) manifest(method string) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		return n.at(ctx, l, letter, method, "/manifests/"+tagName(int(n)/2))
	}
}

func (n tags) blob(ctx context.Context, l *lab, letter string) (sampler, error) {
	return n.at(ctx, l, letter, "GET", "/blobs/"+digest(n.layer()))
}

func (n tags) list(ctx context.Context, l *lab, letter string) (sampler, error) {
	return n.at(ctx, l, letter, "GET", "/tags/list")
}

// fewer reads a manifest from the one and, as "p", from the other.
func fewer(many, few tags) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		if letter == "p" {
			return few.manifest("GET")(ctx, l, "P")
		}
		return many.manifest("GET")(ctx, l, letter)
	}
}

// deletions deletes tags of many and, as "p", of few.
func deletions(ctx context.Context, l *lab, letter string) (sampler, error) {
	if letter == "p" {
		return deletion(1000)(ctx, l, "P")
	}
	return deletion(100_000)(ctx, l, letter)
}

// deletion deletes a thousand tags of a repository that has so many. D cannot delete
// a tag: it deletes the manifest, of which there is one for each.
func deletion(n tags) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		s, err := l.reuse(ctx, letter, l.memory)
		if err != nil {
			return nil, err
		}
		one, round := makeImage(0, n.layer()), 0
		return func(ctx context.Context) (report.Sample, error) {
			repository := fmt.Sprintf("%s/deleted-%d-%d", images(s), n, round)
			round++
			progress("pushing %d tags to %s, to be deleted", int(n), s.Name)
			if err := n.push(ctx, l, s, repository); err != nil {
				return nil, err
			}
			const some = 1000
			result, err := l.send(ctx, s, load.Spec{Kind: load.Repeat, Connections: 8, Requests: some, Status: success, Length: -1}, func(yield func(load.Made) bool) {
				for i := 0; i < int(n); i += int(n) / some {
					which := tagName(i)
					if letter == "D" {
						which = digest(one.numbered(i).manifest)
					}
					if !yield(load.Made{Method: "DELETE", Path: repository + "/manifests/" + which}) {
						return
					}
				}
			})
			return requestSample(result), err
		}, nil
	}
}

const hundred = 100 << 20

// pullLarge pulls a blob of 100 MiB over one connection.
func pullLarge(ctx context.Context, l *lab, letter string) (sampler, error) {
	data := content(load.FirstNumber, hundred)
	path := "/large-blob"
	var s *server
	var err error
	if letter == "N" {
		s, _, err = l.copied(ctx, path[1:], data)
	} else if s, err = l.reuse(ctx, letter, l.memory); err == nil {
		path = images(s) + "/large/blobs/" + digest(data)
		err = s.pushOnce(ctx, l, images(s)+"/large", data)
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (report.Sample, error) {
		result, err := l.load(ctx, s, load.Spec{
			Kind: load.Download, Request: load.Request{Method: http.MethodGet, Path: path}, Status: http.StatusOK, Length: hundred,
		})
		return volumeSample(result), err
	}, nil
}

// pushOnce pushes a blob and an image that has it, unless that was done before.
func (s *server) pushOnce(ctx context.Context, l *lab, repository string, layers ...[]byte) error {
	if s.published[repository] {
		return nil
	}
	_, err := l.send(ctx, s, load.Spec{Kind: load.Upload, Status: success, Length: -1}, func(yield func(load.Made) bool) {
		yield(makeImage(0, layers...).push(repository, "latest"))
	})
	s.published[repository] = err == nil
	return err
}

// pushLarge pushes blobs of 100 MiB over one connection; S is put them.
func pushLarge(ctx context.Context, l *lab, letter string) (sampler, error) {
	s, err := l.reuse(ctx, letter, l.memory)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (report.Sample, error) {
		data := content(l.number, hundred)
		made := load.Made{Method: "PUT", Path: fmt.Sprintf("/blob-%d", l.number), Body: data}
		if letter != "S" {
			made = pushBlob(images(s)+"/uploads", data)
		}
		result, err := l.send(ctx, s, load.Spec{Kind: load.Upload, Status: success, Length: -1}, func(yield func(load.Made) bool) { yield(made) })
		result.Bytes = hundred
		return volumeSample(result), err
	}, nil
}

// pushed makes the n-th push to a server.
type pushed func(repository string, n int64) load.Made

func blobAlone(repository string, n int64) load.Made {
	return pushBlob(repository, content(n, layerSize))
}

func wholeImage(repository string, n int64) load.Made {
	return makeImage(n, content(n, layerSize)).push(repository, fmt.Sprintf("v%d", n))
}

// pushing pushes over eight connections; S is put the layers alone.
func pushing(push pushed) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		s, err := l.reuse(ctx, letter, l.memory)
		if err != nil {
			return nil, err
		}
		most := int64(12_000 * l.options.time.Seconds()) // more than S takes
		if letter != "S" {
			most /= 2
		}
		return func(ctx context.Context) (report.Sample, error) {
			first := l.number
			result, err := l.send(ctx, s, load.Spec{
				Kind: load.Repeat, Connections: 8, Warmup: warmup, Requests: 50, Status: success, Length: -1,
			}, func(yield func(load.Made) bool) {
				for n := first; n < first+most; n++ {
					made := load.Made{Method: "PUT", Path: fmt.Sprintf("/layer-%d", n), Body: content(n, layerSize)}
					if letter != "S" {
						made = push(images(s)+"/pushed", n)
					}
					if !yield(made) {
						return
					}
				}
			})
			return requestSample(result), err
		}, nil
	}
}

// pulling pulls an image of twenty layers over 32 connections.
func pulling(ctx context.Context, l *lab, letter string) (sampler, error) {
	s, err := l.reuse(ctx, letter, l.memory)
	if err != nil {
		return nil, err
	}
	var layers [][]byte
	for i := range int64(20) {
		layers = append(layers, content(load.FirstNumber+i, layerSize))
	}
	repository := images(s) + "/layered"
	if err := s.pushOnce(ctx, l, repository, layers...); err != nil {
		return nil, err
	}
	one := makeImage(0, layers...)
	return func(ctx context.Context) (report.Sample, error) {
		result, err := l.send(ctx, s, load.Spec{
			Kind: load.Repeat, Connections: 32, Warmup: warmup, Requests: 50, Status: success, Length: -1, Time: time.Second,
		}, func(yield func(load.Made) bool) {
			for range int64(8000 * l.options.time.Seconds()) {
				if !yield(one.pull(repository, "latest")) {
					return
				}
			}
		})
		return requestSample(result), err
	}, nil
}
