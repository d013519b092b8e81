package imports

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"milepost/schemas"
)

// headerSearch is how many rows are looked through for the column names.
const headerSearch = 40

// maxHeaderRows is how many rows may name the columns together.
const maxHeaderRows = 3

// head is what stands above the rows of a table.
type head struct {
	above []scanned // the rows over the names, such as titles
	row   int       // the last one of the names, as a spreadsheet counts
	line  int
	names []string
	index map[string]int      // of the mapped columns; -1: not there, and not needed
	units map[string]*big.Rat // 万元 per unit, by mapped column, where the sheet says it
}

// headerWish is what a table must have.
type headerWish struct {
	columns  []string
	optional map[string]bool
	row      int // 0: to be found
	rows     int // that name the columns together; 0: to be found
}

// scanned is a row, or what is wrong with it.
type scanned struct {
	record
	wrong *flaw
}

// findHeader reads the first rows of a sheet and finds the names of the mapped
// columns: the rows with the most of them, the first where several have as
// many. It gives the rows behind the names that it has read.
func findHeader(source rowSource, wish headerWish) (*head, []scanned, *flaw) {
	var seen []scanned
	for limit := max(headerSearch, wish.row); len(seen) < limit; {
		r, wrong, more := source.next()
		if !more {
			break
		}
		r.cells = slices.Clone(r.cells)
		seen = append(seen, scanned{r, wrong})
		if wish.row > 0 && r.number >= wish.row {
			break
		}
	}
	best, most, levels := -1, -1, 1
	for i := range seen {
		if wish.row > 0 && seen[i].number != wish.row {
			continue
		}
		for n := 1; n <= min(maxHeaderRows, i+1); n++ {
			rows := seen[i-n+1 : i+1]
			if rows[0].wrong != nil {
				break
			}
			if wish.rows > 0 && n != wish.rows || seen[i].number-rows[0].number != n-1 {
				continue
			}
			if found := matches(joinNames(rows), wish.columns); found > most {
				best, most, levels = i, found, n
			}
		}
	}
	if best < 0 {
		for i := range seen {
			if seen[i].wrong != nil {
				return nil, nil, seen[i].wrong
			}
		}
		return nil, nil, &flaw{message: "the file has no row of column names", hint: headerHint(wish)}
	}
	h := &head{above: seen[:best-levels+1], row: seen[best].number, line: seen[best].line, names: joinNames(seen[best-levels+1 : best+1])}
	return h, seen[best+1:], nil
}

func headerHint(wish headerWish) string {
	if wish.row > 0 {
		return fmt.Sprintf("row %d must name the columns (file.header_row of the mapping)", wish.row)
	}
	return "one of the first rows must name the columns"
}

// joinNames makes the names of columns out of one or several rows: 落地 over
// 计划日期 is 落地/计划日期, and a name that is merged over the rows stands once.
func joinNames(rows []scanned) []string {
	width := 0
	for i := range rows {
		width = max(width, len(rows[i].cells))
	}
	names := make([]string, width)
	for column := range names {
		var parts []string
		for i := range rows {
			if part := oneLine(rows[i].at(column).text); part != "" && !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
		names[column] = strings.Join(parts, "/")
	}
	return names
}

func matches(names, columns []string) (found int) {
	keys := make(map[string]bool, len(names))
	for _, name := range names {
		keys[columnKey(name)] = true
	}
	for _, column := range columns {
		if keys[columnKey(column)] {
			found++
		}
	}
	return found
}

// unitsOfAmounts are 万元 in one of each.
var unitsOfAmounts = []struct {
	name string
	wan  *big.Rat
}{
	{"百万元", big.NewRat(100, 1)}, {"千万元", big.NewRat(1000, 1)}, {"千元", big.NewRat(1, 10)},
	{"亿元", big.NewRat(10000, 1)}, {"亿", big.NewRat(10000, 1)}, {"万元", big.NewRat(1, 1)}, {"万", big.NewRat(1, 1)}, {"元", big.NewRat(1, 10000)},
}

func wanPer(unit string) *big.Rat {
	unit = strings.TrimPrefix(unit, "人民币")
	for _, u := range unitsOfAmounts {
		if u.name == unit {
			return u.wan
		}
	}
	return nil
}

var (
	unitInName  = regexp.MustCompile(`^(.+?)[(\[]\s*(?:单位\s*[:;]?\s*)?([^()\[\]]+?)\s*[)\]]$`)
	unitInTitle = regexp.MustCompile(`单位\s*:\s*(?:人民币)?(百万元|千万元|千元|亿元|万元|元)`)
)

// splitUnit takes the unit of money off a column's name.
func splitUnit(name string) (string, *big.Rat) {
	name = narrow(name)
	if found := unitInName.FindStringSubmatch(name); found != nil {
		if wan := wanPer(found[2]); wan != nil {
			return found[1], wan
		}
	}
	return name, nil
}

// columnKey is what a column's name is known by: white space, full-width
// signs, a star for required columns and the unit of money do not matter.
func columnKey(name string) string {
	name, _ = splitUnit(strings.Trim(oneLine(narrow(name)), "* "))
	return strings.ReplaceAll(strings.Trim(name, "* "), " ", "")
}

// locate finds the mapped columns by their names: by the very name, or by what
// it is known by. Two columns known by one name are refused, unless each of
// them is mapped by its very name: one may be in 万元 and the other in 亿元.
func (h *head) locate(wish headerWish, fault func(column, value, message, hint string)) {
	h.index, h.units = map[string]int{}, map[string]*big.Rat{}
	known := map[string][]int{}
	for i, name := range h.names {
		known[columnKey(name)] = append(known[columnKey(name)], i)
	}
	title := h.unitOfTitle()
	for _, name := range wish.columns {
		found := slices.DeleteFunc(slices.Clone(known[columnKey(name)]), func(i int) bool {
			return h.names[i] != name && slices.Contains(wish.columns, h.names[i])
		})
		switch {
		case len(found) == 1:
			h.index[name] = found[0]
			h.units[name] = title
			if _, unit := splitUnit(h.names[found[0]]); unit != nil {
				h.units[name] = unit
			}
		case len(found) > 1:
			fault(name, "", "the file has this column twice", fmt.Sprintf("rename one of columns %s and %s", columnLetters(found[0]), columnLetters(found[1])))
		case wish.optional[name]:
			h.index[name] = -1
		default:
			fault(name, "", "the file has no such column", "its columns are "+schemas.Shorten(strings.Join(h.given(), ", ")))
		}
	}
}

// given lists the names that are not blank.
func (h *head) given() []string {
	return slices.DeleteFunc(slices.Clone(h.names), func(name string) bool { return name == "" })
}

// unitOfTitle reads 单位:亿元 in the rows over the names; it is of all amounts
// whose column names no unit.
func (h *head) unitOfTitle() *big.Rat {
	for i := range h.above {
		for _, c := range h.above[i].cells {
			if found := unitInTitle.FindStringSubmatch(narrow(c.text)); found != nil {
				return wanPer(found[1])
			}
		}
	}
	return nil
}

// labelled finds the cell to the right of a label in the rows over the names,
// or what follows the label and a colon in the same cell; false when there is
// no such label.
func (h *head) labelled(label string) (value cell, place string, found bool) {
	for i := range h.above {
		r := &h.above[i].record
		for k := range r.cells {
			text := strings.ReplaceAll(narrow(oneLine(r.cells[k].text)), " ", "")
			if !strings.HasPrefix(text, label) {
				continue
			}
			if rest := strings.TrimLeft(strings.TrimPrefix(text, label), ":"); rest != "" {
				return cell{text: rest}, cellName(k, r.number), true
			}
			for next := k + 1; next < len(r.cells); next++ {
				if c := r.cells[next]; c.text != "" && c.text != r.cells[k].text {
					return c, cellName(next, r.number), true
				}
			}
			return cell{}, cellName(k+1, r.number), true
		}
	}
	return cell{}, "", false
}

// columnLetters writes a column, counted from 0, as spreadsheets do.
func columnLetters(column int) string {
	letters := ""
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		letters = string(rune('A'+(n-1)%26)) + letters
	}
	return letters
}

// cellName writes a place as spreadsheets do: C7.
func cellName(column, row int) string { return fmt.Sprintf("%s%d", columnLetters(column), row) }
