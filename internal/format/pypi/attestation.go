package pypi

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"fmt"

	"packhouse"
)

// attestation is a signed statement about a file, made by whoever built or
// published it (PEP 740).
type attestation struct {
	Version  int `json:"version"`
	Material struct {
		Certificate []byte            `json:"certificate"`
		Entries     []json.RawMessage `json:"transparency_entries"`
	} `json:"verification_material"`
	Envelope struct {
		Statement []byte `json:"statement"`
		Signature []byte `json:"signature"`
	} `json:"envelope"`
}

// statement is what is signed (in-toto Statement v1).
type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Name   string
		Digest struct{ SHA256 string }
	}
	PredicateType string `json:"predicateType"`
}

const (
	statementType  = "https://in-toto.io/Statement/v1"
	payloadType    = "application/vnd.in-toto+json"
	maxAttestation = 8 // of one file
)

// bundle is some attestations of one publisher.
type bundle struct {
	Publisher    publisher         `json:"publisher"`
	Attestations []json.RawMessage `json:"attestations"`
}

// provenanceOf checks the attestations that came with a file and writes its
// provenance object. Each must be about this very file and be signed with the key
// of its certificate. Whether that certificate was given to whom it names is for
// those to judge who verify it, with the roots that they trust.
func provenanceOf(text string, d distribution, digest packhouse.Digest) ([]byte, error) {
	var sent []json.RawMessage
	if err := json.Unmarshal([]byte(text), &sent); err != nil || len(sent) == 0 || len(sent) > maxAttestation {
		return nil, badAttestation(fmt.Sprintf("they are no JSON list of 1 to %d", maxAttestation))
	}
	var bundles []bundle
	seen := map[string]bool{}
	for _, raw := range sent {
		by, predicate, err := checkAttestation(raw, d, digest)
		if err != nil {
			return nil, err
		}
		if seen[predicate] {
			return nil, badAttestation("two have the same predicate type")
		}
		seen[predicate] = true
		if n := len(bundles); n > 0 && bundles[n-1].Publisher == by {
			bundles[n-1].Attestations = append(bundles[n-1].Attestations, raw)
			continue
		}
		bundles = append(bundles, bundle{by, []json.RawMessage{raw}})
	}
	return mustJSON(map[string]any{"version": 1, "attestation_bundles": bundles}), nil
}

// checkAttestation returns whose certificate an attestation was signed with, and
// what kind of statement it is.
func checkAttestation(raw json.RawMessage, d distribution, digest packhouse.Digest) (by publisher, predicate string, err error) {
	var a attestation
	if err := json.Unmarshal(raw, &a); err != nil || a.Version != 1 {
		return by, "", badAttestation("one is not of version 1")
	}
	if len(a.Material.Entries) == 0 {
		return by, "", badAttestation("one has no transparency_entries")
	}
	certificate, err := x509.ParseCertificate(a.Material.Certificate)
	if err != nil {
		return by, "", badAttestation("one has no valid certificate")
	}
	// The pre-authentication encoding of DSSE.
	signed := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(a.Envelope.Statement), a.Envelope.Statement)
	if err := certificate.CheckSignature(signatureOf(certificate), signed, a.Envelope.Signature); err != nil {
		return by, "", badAttestation("one is not signed with the key of its certificate")
	}
	var s statement
	if err := json.Unmarshal(a.Envelope.Statement, &s); err != nil || s.Type != statementType || s.PredicateType == "" || len(s.Subject) != 1 {
		return by, "", badAttestation("one is no in-toto statement about one file")
	}
	about, err := parseFilename(s.Subject[0].Name)
	if err != nil || about.kind != d.kind || about.pkg != d.pkg || about.version != d.version || s.Subject[0].Digest.SHA256 != digest.String() {
		return by, "", badAttestation("one is about another file")
	}
	return publisherOf(certificate), s.PredicateType, nil
}

// signatureOf is how Sigstore signs with the key of a certificate.
func signatureOf(c *x509.Certificate) x509.SignatureAlgorithm {
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		switch key.Curve.Params().BitSize {
		case 384:
			return x509.ECDSAWithSHA384
		case 521:
			return x509.ECDSAWithSHA512
		}
		return x509.ECDSAWithSHA256
	default:
		if c.PublicKeyAlgorithm == x509.Ed25519 {
			return x509.PureEd25519
		}
		return x509.SHA256WithRSA
	}
}

func badAttestation(problem string) error {
	e := packhouse.InvalidParam("attestations", "are refused: "+problem)
	e.Fix = "sign the file again after its last change, or upload without attestations"
	return e
}
