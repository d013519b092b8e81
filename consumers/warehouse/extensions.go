package warehouse

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// extensionScanner finds the attributes of an event that the contract does not name. It keeps its buffers from event to
// event.
type extensionScanner struct {
	in      bytes.Buffer
	out     []byte
	decoder *jsontext.Decoder
}

// extensions gives a JSON object of the attributes beyond those of the contract, or "" when there are none. The event
// was accepted, so that it is valid JSON; of any other text nothing is given.
func (s *extensionScanner) extensions(event []byte) string {
	s.in.Reset()
	s.in.Write(event)
	if s.decoder == nil {
		s.decoder = jsontext.NewDecoder(&s.in)
	} else {
		s.decoder.Reset(&s.in)
	}
	if s.decoder.PeekKind() != '{' {
		return ""
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return ""
	}
	s.out = s.out[:0]
	for s.decoder.PeekKind() == '"' {
		name, err := s.decoder.ReadToken()
		if err != nil {
			return ""
		}
		if text := name.String(); contractAttribute(text) {
			err = s.decoder.SkipValue()
		} else {
			err = s.add(text)
		}
		if err != nil {
			return ""
		}
	}
	if len(s.out) == 0 {
		return ""
	}
	return string(append(s.out, '}'))
}

func (s *extensionScanner) add(name string) error {
	value, err := s.decoder.ReadValue()
	if err != nil {
		return err
	}
	separator := byte(',')
	if len(s.out) == 0 {
		separator = '{'
	}
	s.out = append(s.out, separator)
	if s.out, err = jsontext.AppendQuote(s.out, name); err != nil {
		return err
	}
	s.out = append(append(s.out, ':'), value...)
	return nil
}

func contractAttribute(name string) bool {
	switch name {
	case "specversion", "id", "source", "type", "subject", "time", "district", "datacontenttype", "data":
		return true
	}
	return false
}
