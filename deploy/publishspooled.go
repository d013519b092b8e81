package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"milepost/deploy/embedded/dirlock"
	"milepost/producers"
	"milepost/schemas"
)

// publishSpooled keeps the input in the spool, and sends what waits there. A
// server that is away is no failure: nothing is lost, and the receipts say what
// waits. First come receipts of lines that cannot be kept, then of what was
// sent, earlier inputs first and without a line, then of what of this input
// waits.
func (c *publishCommand) publishSpooled(env *environment, in io.Reader) (err error) {
	lock, err := dirlock.Acquire(c.Spool)
	if err != nil {
		code := schemas.Unavailable
		if errors.Is(err, dirlock.ErrHeld) {
			code = schemas.Conflict
		}
		return &schemas.Error{Code: code, Field: "--spool", Value: c.Spool, Message: "the spool cannot be used", Hint: "one process at a time uses it", Err: err}
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	spool, err := producers.OpenSpool(c.Spool, producers.SpoolOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	for _, file := range spool.Damaged() {
		fmt.Fprintf(env.streams.Err, "milepost: the end of a file of the spool was not whole, as after a crash; it is kept in %s\n", file)
	}
	out := json.NewEncoder(env.streams.Out)
	out.SetEscapeHTML(false)
	refused := false
	var unwritten error
	put := func(r producers.Receipt) {
		refused = refused || r.Error != nil
		unwritten = errors.Join(unwritten, out.Encode(r))
	}
	earlier := spool.Waiting()
	var lines []int
	if !c.Flush {
		if lines, err = producers.FillSpool(spool, in, put); err != nil {
			return err
		}
	}
	done := 0
	// place gives a receipt the line of this input, or none.
	place := func(r producers.Receipt, before int) producers.Receipt {
		if behind := before + r.Line - earlier; behind > 0 {
			r.Line = lines[behind-1]
		} else {
			r.Line = 0
		}
		return r
	}
	err = c.producer().SendSpool(env.ctx, spool, c.Wait, func(r producers.Receipt) {
		done = r.Line
		put(place(r, 0))
	})
	if spool.Waiting() > 0 {
		told := producers.SpooledReceipts(spool, max(0, earlier-done), func(r producers.Receipt) { put(place(r, done)) })
		if err = errors.Join(told, c.tellWaiting(env, spool.Waiting(), err)); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case unwritten != nil:
		return unwritten
	case refused:
		return errRefused
	}
	return nil
}

// tellWaiting says what waits and why; it gives the error that is more than the
// server's being away.
func (c *publishCommand) tellWaiting(env *environment, waiting int, cause error) error {
	fmt.Fprintf(env.streams.Err, "milepost: %d events wait in %s; send them with: milepost publish --spool %s --flush\n", waiting, c.Spool, c.Spool)
	if schemas.CodeOf(cause) != schemas.Unavailable {
		return cause
	}
	fmt.Fprintln(env.streams.Err, "milepost:", cause)
	return nil
}
