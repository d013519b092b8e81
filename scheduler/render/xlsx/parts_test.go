package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"milepost/schemas"
)

// unzip gives the parts of the workbook of a bulletin.
func unzip(t testing.TB, model *schemas.Bulletin, ledger []schemas.LedgerRow, names Names) map[string]string {
	t.Helper()
	var b bytes.Buffer
	if err := Bulletin(&b, model, ledger, names); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if archive.File[0].Name != "[Content_Types].xml" {
		t.Errorf("the first part is %s", archive.File[0].Name)
	}
	parts := map[string]string{}
	for _, file := range archive.File {
		content, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		parts[file.Name] = string(text)
	}
	return parts
}

func TestEveryPartIsWellFormedAndEveryRelationResolves(t *testing.T) {
	t.Parallel()
	model, ledger, names := example(t, 40)
	ledger[0].Name = "甲\x01\x02<厂>&"
	parts := unzip(t, model, ledger, names)
	for name, text := range parts {
		decoder := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !strings.HasSuffix(name, ".rels") {
			continue
		}
		var relations struct {
			Relationship []struct {
				Target string `xml:"Target,attr"`
			} `xml:"Relationship"`
		}
		if err := xml.Unmarshal([]byte(text), &relations); err != nil {
			t.Fatal(err)
		}
		for _, r := range relations.Relationship {
			target := path.Join(path.Dir(path.Dir(name)), r.Target)
			if absolute, ok := strings.CutPrefix(r.Target, "/"); ok {
				target = absolute
			}
			if _, ok := parts[target]; !ok {
				t.Errorf("%s points to %s, which is not there", name, target)
			}
		}
	}
}
