package evidence

import (
	"archive/zip"
	"bytes"
	"net/url"
	"strings"
)

// kind is a kind of file that is kept.
type kind struct{ mediaType, extension string }

// maxParts bounds the directory of an office file that is looked at.
const maxParts = 10_000

// kindOf tells what a file is by its content; false for what is not kept.
func kindOf(content []byte) (kind, bool) {
	switch {
	case bytes.HasPrefix(content, []byte("%PDF-")):
		return kind{"application/pdf", ".pdf"}, true
	case bytes.HasPrefix(content, []byte("\xff\xd8\xff")):
		return kind{"image/jpeg", ".jpg"}, true
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return kind{"image/png", ".png"}, true
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return officeKind(content)
	}
	return kind{}, false
}

// officeKind tells apart what is packed as a zip by the parts in its directory;
// nothing is unpacked. Files with macros are not kept.
func officeKind(content []byte) (kind, bool) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(archive.File) > maxParts {
		return kind{}, false
	}
	has := map[string]bool{}
	for _, part := range archive.File {
		name := strings.ToLower(part.Name)
		if strings.HasSuffix(name, "vbaproject.bin") {
			return kind{}, false
		}
		has[name] = true
	}
	switch {
	case has["ofd.xml"]:
		return kind{"application/ofd", ".ofd"}, true
	case !has["[content_types].xml"]:
		return kind{}, false
	case has["word/document.xml"]:
		return kind{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"}, true
	case has["xl/workbook.xml"]:
		return kind{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"}, true
	}
	return kind{}, false
}

// encodeName and decodeName carry a name in a header, which takes ASCII.
func encodeName(name string) string { return url.PathEscape(name) }

func decodeName(text string) string {
	if name, err := url.PathUnescape(text); err == nil {
		return name
	}
	return text
}
