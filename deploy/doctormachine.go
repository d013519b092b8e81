package deploy

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"milepost/deploy/embedded/assets"
	"milepost/deploy/settings"
	"milepost/scheduler"
	"milepost/scheduler/render/pdf"
	"milepost/schemas"
)

// machine checks what a server needs of the machine that it is to run on.
type machine struct {
	config settings.Config
	now    func() time.Time
	env    func(string) string
	found  diagnoses
}

// Room on the disk below which nothing goes on, and below which somebody should act.
const (
	leastRoom = 1 << 30
	scantRoom = 10 << 30
)

func (m *machine) examine(ctx context.Context) diagnoses {
	m.configuration()
	if m.config.Has(settings.TargetEngines) {
		m.engine()
		m.folder()
	}
	m.clock()
	m.holidays()
	m.printing(ctx)
	m.secrets()
	return m.found
}

func (m *machine) configuration() {
	wrong := settings.Each(m.config.Check())
	for _, err := range wrong {
		m.found.fail("configuration", "see milepost config check, and milepost config options", "%v", err)
	}
	if _, err := m.config.AnalystPassword(); err != nil {
		m.found.fail("configuration", "see milepost config check", "%v", err)
		return
	}
	if len(wrong) == 0 {
		m.found.ok("configuration", "%d options, nothing wrong; roles %s", len(options()), strings.Join(m.config.Target, ", "))
	}
}

func (m *machine) engine() {
	if m.config.ClickHouse != "" {
		return
	}
	path, err := assets.Store{Getenv: m.env}.Present()
	switch {
	case err != nil:
		m.found.fail("engine", "set MILEPOST_CLICKHOUSE_LIBRARY to the path of libchdb.so, or unset it", "%v", err)
	case path == "":
		m.found.fail("engine", "run milepost engine where npm and a network are, or put lib/libchdb.so beside the binary", "the ClickHouse engine is not on this machine; the next start would fetch it")
	default:
		m.found.ok("engine", "%s", path)
	}
}

// folder looks at the data folder, or where it will be.
func (m *machine) folder() {
	dir := m.config.Data
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
			_, err = os.Stat(dir)
		}
		m.found.ok("data folder", "%s will be made by the first start", m.config.Data)
	case err != nil || !info.IsDir():
		m.found.fail("data folder", "name a folder by --data", "%s is not a folder that can be read", dir)
		return
	case info.Mode().Perm()&0o007 != 0:
		m.found.warn("data folder", "chmod o-rwx "+dir, "%s is open to every user of this machine, mode %v", dir, info.Mode().Perm())
	default:
		m.found.ok("data folder", "%s", dir)
	}
	if unix.Access(dir, unix.W_OK) != nil {
		m.found.fail("permission", "give it to the user who runs the server: chown -R milepost "+dir, "%s cannot be written by this user", dir)
	}
	examineRoom("disk", dir, &m.found)
}

// clock looks for a clock that was never set; how far it is from that of NATS is told where NATS is.
func (m *machine) clock() {
	now := m.now()
	if now.Year() < 2025 {
		m.found.fail("clock", "set the clock: timedatectl set-ntp true", "it says %s", now.Format(time.RFC3339))
		return
	}
	m.found.ok("clock", "%s", now.In(schemas.Location).Format("2006-01-02 15:04:05 -07:00"))
}

func (m *machine) holidays() {
	schedules, err := m.config.Schedules(schemas.UndatedRules(schemas.DefaultRules()), slog.New(slog.DiscardHandler))
	if err != nil {
		return // told with the configuration
	}
	today := schemas.DateOf(m.now())
	do := "name a file with its holidays by schedule.calendar"
	for _, year := range schedules.Calendar.Missing(today) {
		m.found.warn("holidays", do, "the public holidays of %d are not known: weekdays count as working days", year)
	}
	if len(schedules.Calendar.Missing(today)) == 0 {
		m.found.ok("holidays", "known %s", knownYears(schedules.Calendar, today.Year()))
	}
}

func knownYears(c *scheduler.Calendar, year int) string {
	if c.Known(year + 1) {
		return "for this year and the next"
	}
	return "for this year; those of the next are announced in November"
}

// fontTime bounds the question for fonts.
const fontTime = 10 * time.Second

// printing looks for what PDF needs; where PDF is not asked for, its lack is a warning.
func (m *machine) printing(ctx context.Context) {
	lacking := m.found.warn
	if slices.Contains(m.config.Bulletins.Formats, "pdf") {
		lacking = m.found.fail
	}
	browser, err := pdf.New(pdf.Options{Browser: m.config.Documents.Browser}).Browser()
	if err != nil {
		lacking("Chromium", "apt-get install chromium, or name one by documents.browser; all other formats do without", "none found: no PDF")
	} else {
		m.found.ok("Chromium", "%s", browser)
	}
	asking, cancel := context.WithTimeout(ctx, fontTime)
	defer cancel()
	out, err := exec.CommandContext(asking, "fc-list", ":lang=zh", "family").Output()
	families := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	switch {
	case errors.Is(err, exec.ErrNotFound):
		m.found.warn("fonts", "apt-get install fontconfig fonts-noto-cjk", "fc-list is not installed: the fonts cannot be listed")
	case err != nil || len(families) == 0:
		lacking("fonts", "apt-get install fonts-noto-cjk", "no font with Chinese characters: PDF would show boxes")
	default:
		slices.Sort(families)
		m.found.ok("fonts", "%d Chinese families, such as %s", len(slices.Compact(families)), strings.Split(families[0], ",")[0])
	}
}

// secrets looks for files of secrets that others may read.
func (m *machine) secrets() {
	files := []string{m.config.ClickHousePasswordFile, m.config.TLSKey, m.config.NATSCreds}
	for _, t := range m.config.Delivery.Targets {
		files = append(files, t.PasswordFile, t.URLFile, t.SecretFile)
	}
	open, known := 0, 0
	for _, file := range files {
		if file == "" {
			continue
		}
		known++
		info, err := os.Stat(file)
		switch {
		case err != nil:
			open++
			m.found.fail("permission", "check the path, and that the user who runs the server may read it", "%s cannot be read", file)
		case info.Mode().Perm()&0o007 != 0:
			open++
			m.found.warn("permission", "chmod o-rwx "+file, "every user of this machine may read the secret %s", file)
		}
	}
	if open == 0 && known > 0 {
		m.found.ok("permission", "%d files of secrets, closed to others", known)
	}
}

// ports looks whether the addresses can be had; it is asked when no server of ours runs.
func (m *machine) ports() diagnoses {
	addresses := []struct {
		option, address string
		needed          bool
	}{
		{"listen", m.config.Listen, m.config.Has(settings.TargetProducers) || m.config.Has(settings.TargetWeb)},
		{"clickhouse_listen", m.config.ClickHouseListen, m.config.Has(settings.TargetEngines) && m.config.ClickHouse == ""},
		{"nats_listen", m.config.NATSListen, m.config.Has(settings.TargetEngines) && m.config.NATS == "" && m.config.NATSListen != ""},
	}
	var found diagnoses
	for _, a := range addresses {
		if !a.needed {
			continue
		}
		l, err := net.Listen("tcp", a.address)
		if err != nil {
			found.fail("port", "end what listens there, or choose another address by "+a.option, "%s %s cannot be had: %v", a.option, a.address, err)
			continue
		}
		_ = l.Close() // it was only tried
		found.ok("port", "%s %s is free", a.option, a.address)
	}
	return found
}
