package format

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
)

// maxXMLDepth bounds how deep elements stand in each other.
const maxXMLDepth = 64

// DecodeXML reads a document into v as xml.Unmarshal does. It refuses document
// types, and with them all entities that the caller has not set up, and deep nesting.
// Errors say what is wrong in the words of a sentence
// that begins with the document's name: "is no XML". setup, which may be nil,
// prepares the decoders.
func DecodeXML(data []byte, v any, setup func(*xml.Decoder)) error {
	decoder := func() *xml.Decoder {
		d := xml.NewDecoder(bytes.NewReader(data))
		if setup != nil {
			setup(d)
		}
		return d
	}
	if err := walkXML(decoder()); err != nil {
		return err
	}
	if decoder().Decode(v) != nil {
		return errBrokenXML
	}
	return nil
}

var (
	errBrokenXML = errors.New("is no XML, or broken")
	errTypedXML  = errors.New("has a document type, which is not allowed")
	errDeepXML   = errors.New("is nested too deep")
)

// walkXML looks at the whole document before anything is made of it.
func walkXML(d *xml.Decoder) error {
	for depth := 0; ; {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errBrokenXML
		}
		switch token.(type) {
		case xml.Directive:
			return errTypedXML
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth > maxXMLDepth {
			return errDeepXML
		}
	}
}
