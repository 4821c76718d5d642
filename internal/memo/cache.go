package memo

// Cache is a bounded memory of values by key, such as an *otter.Cache. What is kept in
// a field has this type and not that one: whoever inlines a call of a generic type's
// method compiles the whole type, and otter's made each package above 30 MB larger and
// many times slower to compile.
type Cache[K comparable, V any] interface {
	GetIfPresent(key K) (V, bool)
	// Set and SetIfAbsent return the value that is there then, or was, and whether
	// it was set.
	Set(key K, value V) (V, bool)
	SetIfAbsent(key K, value V) (V, bool)
}
