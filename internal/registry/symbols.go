package registry

import (
	"context"
	"slices"

	"packhouse"
	"packhouse/internal/store"
)

// SymbolRoot begins the paths of files that Source.Symbol finds.
const SymbolRoot = store.SymbolRoot

// Symbol implements Source.
func (v *view) Symbol(ctx context.Context, format, path string) (ref packhouse.FileRef, err error) {
	readable := v.all().IDs
	err = v.registry.store.View(ctx, func(tx *store.Tx) error {
		for s, err := range tx.Symbols(ctx, format, path) {
			if err != nil {
				return err
			}
			if _, ok := slices.BinarySearch(readable, s.ProjectID); ok && s.Status.Downloadable() {
				ref = s.Ref
				return nil
			}
		}
		return errNoFile()
	})
	return ref, err
}

// Symbol implements Source.
func (Nothing) Symbol(context.Context, string, string) (packhouse.FileRef, error) {
	return packhouse.FileRef{}, errNoFile()
}
