package script

import (
	"encoding/json"
	"fmt"
	"strings"
)

// jsonField reads a field of a JSON object as text.
func jsonField(object, name string) (string, error) {
	var o map[string]any
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		return "", fmt.Errorf("%q is no JSON object: %w", object, err)
	}
	v, ok := o[name]
	if !ok {
		return "", fmt.Errorf("%s has no field %q", object, name)
	}
	return fmt.Sprint(v), nil
}
