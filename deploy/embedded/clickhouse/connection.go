package clickhouse

import (
	"runtime"
	"sort"
	"strconv"
	"strings"
	"unsafe"
)

// connection is one of the engine's connections: a session with its own settings, database and temporary tables, that
// runs one statement at a time.
type connection struct {
	library *library
	pointer unsafe.Pointer
	// mark is in the log_comment of every statement of this connection, which is how KILL QUERY finds them: the engine
	// gives each statement an id of its own and lets nobody choose it.
	mark string
	// profile is what the connection was opened for; the pool gives it out for the same profile again.
	profile string
}

// summary is what a statement read and wrote.
type summary struct {
	rowsRead, bytesRead, rowsWritten, bytesWritten, resultRows, resultBytes uint64
	elapsedSeconds                                                          float64
}

// openConnection opens one more connection to the data folder. It gives nil when the engine refuses, of which it says
// nothing but in its own log: the folder is not usable, or the engine runs in this process on another one.
func openConnection(l *library, dir, mark string) *connection {
	arguments := []string{
		"clickhouse",
		"--path=" + dir,
		// What is acknowledged must be in the table, not in a buffer.
		"--async_insert=0",
		// The library's own conveniences that a server does not have.
		"--implicit_select=0",
		"--allow_introspection_functions=0",
		"--log_comment=" + mark,
	}
	pointers := make([]unsafe.Pointer, len(arguments)+1)
	for i, argument := range arguments {
		pointers[i] = unsafe.Pointer(&append([]byte(argument), 0)[0])
	}
	p := l.connect(int32(len(arguments)), unsafe.Pointer(&pointers[0]))
	runtime.KeepAlive(pointers)
	if p == nil {
		return nil
	}
	return &connection{library: l, pointer: p, mark: mark}
}

func (c *connection) close() {
	c.library.closeConn(c.pointer)
	c.pointer = nil
}

// handle is the connection as statements take it.
func (c *connection) handle() unsafe.Pointer { return *(*unsafe.Pointer)(c.pointer) }

// text is a string as the engine takes it: an address, which must not be nil, and a length.
func text(s string) (unsafe.Pointer, uintptr) {
	if s == "" {
		return unsafe.Pointer(unsafe.StringData(" ")), 0
	}
	return unsafe.Pointer(unsafe.StringData(s)), uintptr(len(s))
}

// parameters are the values of {name:Type}, as the engine takes them.
type parameters struct {
	names, values       []unsafe.Pointer
	nameLens, valueLens []uintptr
}

func newParameters(values map[string]string) *parameters {
	p := &parameters{}
	for name, value := range values {
		n, nl := text(name)
		v, vl := text(value)
		p.names, p.nameLens = append(p.names, n), append(p.nameLens, nl)
		p.values, p.valueLens = append(p.values, v), append(p.valueLens, vl)
	}
	// The engine wants addresses even of empty lists.
	p.names, p.values = append(p.names, nil), append(p.values, nil)
	p.nameLens, p.valueLens = append(p.nameLens, 0), append(p.valueLens, 0)
	return p
}

func (p *parameters) count() uintptr { return uintptr(len(p.names) - 1) }

// run executes a statement and gives its whole result. After an exception the connection must not be used again: what
// the statement had written so far would come out in front of the next one's result.
func (c *connection) run(sql, format string, values map[string]string) ([]byte, summary, error) {
	l := c.library
	s, sLen := text(sql)
	f, fLen := text(format)
	p := newParameters(values)
	result := l.query(c.handle(), s, sLen, f, fLen, unsafe.Pointer(&p.names[0]), unsafe.Pointer(&p.nameLens[0]), unsafe.Pointer(&p.values[0]), unsafe.Pointer(&p.valueLens[0]), p.count())
	runtime.KeepAlive(p)
	runtime.KeepAlive(values)
	defer l.destroy(result)
	if failure := l.failure(result); failure != "" {
		return nil, summary{}, parseException(failure)
	}
	var data []byte
	if n := l.length(result); n > 0 {
		data = append(data, unsafe.Slice((*byte)(l.buffer(result)), n)...)
	}
	return data, l.summary(result), nil
}

func (l *library) summary(result unsafe.Pointer) summary {
	return summary{
		rowsRead: l.rowsRead(result), bytesRead: l.bytesRead(result), rowsWritten: l.rowsWritten(result), bytesWritten: l.bytesWrite(result),
		resultRows: l.resultRows(result), resultBytes: l.resultBytes(result), elapsedSeconds: l.elapsed(result),
	}
}

// insertion is an INSERT whose data comes in pieces.
type insertion struct {
	connection *connection
	stream     unsafe.Pointer
}

// insert begins an INSERT; head is the statement without FORMAT and data.
func (c *connection) insert(head, format string, values map[string]string) (*insertion, error) {
	l := c.library
	s, sLen := text(head)
	f, fLen := text(format)
	p := newParameters(values)
	stream := l.insert(c.handle(), s, sLen, f, fLen, unsafe.Pointer(&p.names[0]), unsafe.Pointer(&p.nameLens[0]), unsafe.Pointer(&p.values[0]), unsafe.Pointer(&p.valueLens[0]), p.count())
	runtime.KeepAlive(p)
	runtime.KeepAlive(values)
	if failure := l.insertFailure(stream); failure != "" {
		l.insertDestroy(stream)
		return nil, parseException(failure)
	}
	return &insertion{c, stream}, nil
}

// write gives the next piece of data to the engine and waits while the engine has enough to do.
func (i *insertion) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	l := i.connection.library
	ok := l.insertAppend(i.stream, unsafe.Pointer(&data[0]), uintptr(len(data))) == 0
	runtime.KeepAlive(data)
	if ok {
		return nil
	}
	if failure := l.insertFailure(i.stream); failure != "" {
		return parseException(failure)
	}
	return exceptionf(codeAborted, "The INSERT ended before its data")
}

// commit ends the data and waits until it is in the table.
func (i *insertion) commit() (summary, error) {
	l := i.connection.library
	defer l.insertDestroy(i.stream)
	result := l.insertDone(i.stream)
	defer l.destroy(result)
	if failure := l.failure(result); failure != "" {
		return summary{}, parseException(failure)
	}
	return l.summary(result), nil
}

// abort ends the INSERT without what was not written to the table yet.
func (i *insertion) abort() {
	i.connection.library.insertCancel(i.stream)
	i.connection.library.insertDestroy(i.stream)
}

// readsOnly asks the engine's own parser whether the text is one statement that leaves no trace. What does not parse
// leaves none either: the engine will say why.
func (c *connection) readsOnly(sql string) bool {
	report := struct{ size, statements, flags, class uint32 }{size: 16}
	s, sLen := text(sql)
	none, _ := text("")
	state := c.library.classify(c.handle(), s, sLen, none, 0, unsafe.Pointer(&report))
	runtime.KeepAlive(sql)
	parsed := report.statements > 0 || report.class != classUnknown
	return state == 0 && (!parsed || report.statements == 1 && report.class == classReadOnly)
}

// Classes of statements, as the engine numbers them.
const (
	classReadOnly = 0
	classUnknown  = 4
)

// setting is a setting of the engine and its value as text.
type setting struct{ name, value string }

// setStatement writes SET for the settings, in their order.
func setStatement(settings []setting) string {
	var b strings.Builder
	for i, s := range settings {
		b.WriteString(map[bool]string{true: "SET ", false: ", "}[i == 0])
		b.WriteString(quoteName(s.name) + " = " + quoteText(s.value))
	}
	return b.String()
}

func sortSettings(settings []setting) {
	sort.SliceStable(settings, func(i, j int) bool { return settings[i].name < settings[j].name })
}

var (
	textEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	nameEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`")
)

func quoteText(s string) string { return "'" + textEscapes.Replace(s) + "'" }
func quoteName(s string) string { return "`" + nameEscapes.Replace(s) + "`" }

func formatUint(v uint64) string { return strconv.FormatUint(v, 10) }

// escapeParameter writes a text as a parameter's value, which the engine reads as TSV.
func escapeParameter(s string) string { return parameterEscapes.Replace(s) }

var parameterEscapes = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
