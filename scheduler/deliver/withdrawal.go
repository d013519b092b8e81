package deliver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"milepost/schemas"
)

// Withdrawal says that an edition was taken back.
type Withdrawal struct {
	At     time.Time
	Reason string
	// Replacement names the edition that stands in its place, with its id and
	// title; empty when there is none.
	Replacement string
}

// withdrawalPrefix begins the ids of notices of withdrawal.
const withdrawalPrefix = "withdrawn."

// withdrawals tells every target that was given an edition, at any time, that it
// was withdrawn. A target that has not been given it has nothing to put away.
func (c *Courier) withdrawals(ctx context.Context, editions []Edition, known []Delivery) error {
	planned := map[[2]string]bool{}
	given := map[string][]string{}
	for i := range known {
		d := &known[i]
		planned[[2]string{d.ID, d.Target}] = true
		if d.Class == EditionClass && (d.State == Delivered || d.Round > 1) {
			given[d.ID] = append(given[d.ID], d.Target)
		}
	}
	for i := range editions {
		e := &editions[i]
		if !e.Withdrawn {
			continue
		}
		id := withdrawalPrefix + e.ID
		for _, name := range given[e.ID] {
			if planned[[2]string{id, name}] || c.target(name) == nil {
				continue
			}
			letter := e.withdrawalNotice(id).shortened()
			d := newDelivery(id, name, WithdrawalClass, letter.Title, c.c.Now())
			d.Kind, d.Period, d.Number, d.Letter = e.Kind, e.Period, e.Number, &letter
			if _, err := c.c.Store.create(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Edition) withdrawalNotice(id string) Letter {
	lines := []string{fmt.Sprintf("%s（%s）已撤回，请勿再使用、转载。", e.Title, e.ID)}
	if e.Withdrawal != nil {
		lines = append(lines, "原因："+e.Withdrawal.Reason, "撤回时间："+e.Withdrawal.At.In(schemas.Location).Format("2006-01-02 15:04"))
		if e.Withdrawal.Replacement != "" {
			lines = append(lines, "替代："+e.Withdrawal.Replacement)
		}
	}
	return Letter{ID: id, Class: WithdrawalClass, Period: e.Period, Title: "已撤回：" + e.Title, Lines: lines}
}

// withdrawnSuffix ends the names of a withdrawn edition's files: nobody opens
// them by mistake, and nothing is lost.
const withdrawnSuffix = ".withdrawn"

// putAway renames the files of the withdrawn edition in its folder and leaves the
// notice there. Doing it again changes nothing. Files of other names are not
// touched.
func (f *Folder) putAway(dir string, m *Message) error {
	edition := strings.TrimPrefix(m.ID, withdrawalPrefix)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure("the folder cannot be read", err)
	}
	notice := fileName(edition) + withdrawnSuffix + ".txt"
	for _, entry := range entries {
		name := entry.Name()
		rest, ours := strings.CutPrefix(name, edition)
		ours = ours && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "-media."))
		if !ours || name == notice || strings.HasSuffix(name, withdrawnSuffix) || !entry.Type().IsRegular() {
			continue
		}
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, name+withdrawnSuffix)); err != nil {
			return failure("a withdrawn file cannot be renamed", err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return failure("the folder cannot be made", err)
	}
	text := strings.Join(slices.Concat([]string{m.Title}, m.Lines), "\n") + "\n"
	if err := writeWhole(dir, File{Name: notice, Content: []byte(text)}); err != nil {
		return failure("the folder cannot be written", err)
	}
	return nil
}
