package imports

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"milepost/schemas"
)

// Limits on what a workbook may unpack to. A real sheet packs 10 to 30 to one.
const (
	maxParts       = 10_000
	maxSmallPart   = 16 << 20
	maxSharedPart  = 192 << 20
	maxSheetPart   = 1 << 30
	maxPackedRatio = 250
	minBombBytes   = 1 << 20
	maxShared      = 2_000_000
	maxSheets      = 255
)

// workbook is an XLSX file under the reader. Only what an import needs is
// unpacked, and of the sheets one row at a time. (Excelize writes our
// workbooks; its row iterator gives no kinds of cells, takes a damaged part for
// its end and a formula without a result for a blank cell, so that it cannot
// say what must be refused.)
type workbook struct {
	parts    map[string]*zip.File
	sheets   []sheetPart
	date1904 bool
	styles   []numberStyle // by cell style
	shared   []string
	mark     templateMark
	marked   bool
	surveyed map[string]survey // by path
}

type sheetPart struct {
	name, path string
	hidden     bool
}

// numberStyle is how a number is shown, as far as it changes its meaning.
type numberStyle uint8

const (
	plainStyle numberStyle = iota
	dateStyle
	percentStyle
)

var errTooLarge = errors.New("the workbook unpacks to more than an import may read")

// isWorkbook and isOldWorkbook know a file by its first bytes.
func isWorkbook(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

func isOldWorkbook(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1})
}

func openWorkbook(raw []byte) (*workbook, *flaw) {
	b, wrong := openParts(raw)
	if wrong != nil {
		return nil, wrong
	}
	for _, step := range []func() error{b.readBook, b.readStyles, b.readShared} {
		if err := step(); err != nil {
			return nil, unreadable(err)
		}
	}
	if len(b.sheets) == 0 {
		return nil, &flaw{message: "the workbook has no sheet", hint: "save it as an Excel workbook (.xlsx)"}
	}
	return b, nil
}

// readMark reads only the template's mark of a workbook.
func readMark(raw []byte) (templateMark, bool) {
	b, wrong := openParts(raw)
	if wrong != nil || b.readBook() != nil {
		return templateMark{}, false // the reading of the rows tells why
	}
	return b.mark, b.marked
}

// openParts looks into the archive and refuses what only an attacker packs.
func openParts(raw []byte) (*workbook, *flaw) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, &flaw{message: "the workbook is damaged or cut short", hint: "send the file again; nothing of it was read"}
	}
	if len(archive.File) > maxParts {
		return nil, &flaw{message: fmt.Sprintf("the workbook has more than %d parts", maxParts), hint: "copy the table into a new workbook"}
	}
	b := &workbook{parts: make(map[string]*zip.File, len(archive.File)), surveyed: map[string]survey{}}
	for _, f := range archive.File {
		if f.UncompressedSize64 > minBombBytes && f.UncompressedSize64/maxPackedRatio > f.CompressedSize64 {
			return nil, &flaw{
				message: fmt.Sprintf("the workbook unpacks to more than %d times its size (part %s), as no table does", maxPackedRatio, schemas.Shorten(strconv.Quote(f.Name))),
				hint:    "copy the table into a new workbook",
			}
		}
		b.parts[strings.ToLower(strings.TrimPrefix(f.Name, "/"))] = f
	}
	return b, nil
}

func unreadable(err error) *flaw {
	if errors.Is(err, errTooLarge) {
		return &flaw{message: err.Error(), hint: "delete the empty rows and columns around the table, or copy it into a new workbook"}
	}
	return &flaw{message: "the workbook cannot be read: " + schemas.Shorten(err.Error()), hint: "open it in Excel or WPS and save it as .xlsx again"}
}

// open unpacks a part, guarded, up to a limit.
func (b *workbook) open(name string, limit int64) (io.ReadCloser, error) {
	f := b.parts[strings.ToLower(name)]
	if f == nil {
		return nil, fmt.Errorf("part %s is missing", name)
	}
	if f.UncompressedSize64 > uint64(limit) {
		return nil, errTooLarge
	}
	content, err := f.Open()
	if err != nil {
		return nil, err
	}
	return &guardedPart{ReadCloser: content, left: limit}, nil
}

// guardedPart holds a part to its limit, whatever its header declares, and
// refuses what only an attacker writes: a tag or text of more than a megabyte,
// and declarations or comments, which a parser would gather in memory.
type guardedPart struct {
	io.ReadCloser
	left  int64
	since int
	last  byte
	begun bool
}

const maxTextRun = 1 << 20

var errUnusual = errors.New("it holds what no spreadsheet program writes")

// Read reads and checks.
func (g *guardedPart) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	if g.left -= int64(n); g.left < 0 {
		return 0, errTooLarge
	}
	piece := p[:n]
	if i := bytes.LastIndexByte(piece, '<'); i >= 0 {
		g.since = n - i
	} else if g.since += n; g.since > maxTextRun {
		return 0, errUnusual
	}
	if n > 0 && g.last == '<' && (piece[0] == '!' || piece[0] == '?' && g.begun) || bytes.Contains(piece, []byte("<!")) {
		return 0, errUnusual
	}
	if i := bytes.LastIndex(piece, []byte("<?")); i > 3 || i >= 0 && g.begun {
		return 0, errUnusual
	}
	if n > 0 {
		g.last, g.begun = piece[n-1], g.begun || n > 4
	}
	return n, err
}

// decode reads a small part whole.
func (b *workbook) decode(name string, into any) error {
	part, err := b.open(name, maxSmallPart)
	if err != nil {
		return err
	}
	defer part.Close()
	return xml.NewDecoder(part).Decode(into)
}

type relations struct {
	List []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

const defaultBook = "xl/workbook.xml"

// bookPath finds the workbook's own part.
func (b *workbook) bookPath() string {
	var top relations
	if err := b.decode("_rels/.rels", &top); err == nil {
		for _, r := range top.List {
			if strings.HasSuffix(r.Type, "/officeDocument") {
				return strings.TrimPrefix(path.Clean("/"+r.Target), "/")
			}
		}
	}
	return defaultBook
}

func (b *workbook) readBook() error {
	at := b.bookPath()
	if strings.HasSuffix(at, ".bin") {
		return errors.New("it is a binary workbook (.xlsb)")
	}
	if b.parts[strings.ToLower(at)] == nil {
		return errors.New("it is no Excel workbook")
	}
	var book struct {
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			ID    string `xml:"id,attr"`
			State string `xml:"state,attr"`
		} `xml:"sheets>sheet"`
		Names []struct {
			Name string `xml:"name,attr"`
			Text string `xml:",chardata"`
		} `xml:"definedNames>definedName"`
	}
	if err := b.decode(at, &book); err != nil {
		return err
	}
	var links relations
	if err := b.decode(path.Join(path.Dir(at), "_rels", path.Base(at)+".rels"), &links); err != nil {
		return err
	}
	targets := map[string]string{}
	for _, r := range links.List {
		target := r.Target
		if !strings.HasPrefix(target, "/") {
			target = path.Join(path.Dir(at), target)
		}
		targets[r.ID] = strings.TrimPrefix(path.Clean("/"+target), "/")
	}
	if len(book.Sheets) > maxSheets {
		return fmt.Errorf("it has more than %d sheets", maxSheets)
	}
	for _, n := range book.Names {
		if n.Name == templateName {
			b.mark, b.marked = parseTemplateMark(n.Text)
		}
	}
	b.date1904 = book.Properties.Date1904 == "1" || book.Properties.Date1904 == "true"
	for _, s := range book.Sheets {
		if target := targets[s.ID]; strings.Contains(target, "worksheets/") {
			b.sheets = append(b.sheets, sheetPart{name: s.Name, path: target, hidden: s.State == "hidden" || s.State == "veryHidden"})
		}
	}
	return nil
}

func (b *workbook) readStyles() error {
	const at = "xl/styles.xml"
	if b.parts[at] == nil {
		return nil
	}
	var sheet struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Styles []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := b.decode(at, &sheet); err != nil {
		return err
	}
	codes := map[int]string{}
	for _, f := range sheet.Formats {
		codes[f.ID] = f.Code
	}
	for _, s := range sheet.Styles {
		code, own := codes[s.Format]
		switch {
		case own:
			b.styles = append(b.styles, styleOf(code))
		case s.Format >= 14 && s.Format <= 22, s.Format >= 27 && s.Format <= 36, s.Format >= 45 && s.Format <= 47, s.Format >= 50 && s.Format <= 58:
			b.styles = append(b.styles, dateStyle) // the built-in ones, those of Chinese versions among them
		case s.Format == 9 || s.Format == 10:
			b.styles = append(b.styles, percentStyle)
		default:
			b.styles = append(b.styles, plainStyle)
		}
	}
	return nil
}

// styleOf reads a number format: what stands in quotes, brackets or behind a
// backslash is only shown.
func styleOf(code string) numberStyle {
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '\\', '_', '*':
			_, size := utf8.DecodeRuneInString(code[min(i+1, len(code)):])
			i += size
		case '"':
			i += 1 + max(strings.IndexByte(code[i+1:], '"'), 0)
		case '[':
			i += max(strings.IndexByte(code[i:], ']'), 0)
		case ';':
			return plainStyle
		case '%':
			return percentStyle
		case 'y', 'Y', 'd', 'D', 'm', 'M', 'h', 'H', 's', 'S':
			return dateStyle
		}
	}
	return plainStyle
}

// readShared reads the texts that cells share. Readings for the ruby line
// (rPh) are no part of a text.
func (b *workbook) readShared() error {
	const at = "xl/sharedStrings.xml"
	if b.parts[strings.ToLower(at)] == nil {
		return nil
	}
	part, err := b.open(at, maxSharedPart)
	if err != nil {
		return err
	}
	defer part.Close()
	decoder := xml.NewDecoder(part)
	var text strings.Builder
	reading, ruby, complete := false, false, false
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) && complete {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "si":
				if len(b.shared) == maxShared {
					return errTooLarge
				}
				text.Reset()
			case "t":
				reading = !ruby
			case "rPh":
				ruby = true
			}
		case xml.CharData:
			if reading {
				text.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "t":
				reading = false
			case "rPh":
				ruby = false
			case "si":
				b.shared = append(b.shared, unescape(text.String()))
			case "sst":
				complete = true
			}
		}
	}
}

// unescape undoes the escapes of signs that XML cannot hold: _x000D_.
func unescape(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "_x") && len(text) >= i+7 && text[i+6] == '_' {
			if n, err := strconv.ParseUint(text[i+2:i+6], 16, 16); err == nil {
				b.WriteRune(rune(n))
				i += 6
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
