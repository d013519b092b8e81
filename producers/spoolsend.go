package producers

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"

	"milepost/schemas"
)

// FillSpool adds the events of an input, one a line, to the spool and returns
// when they are durable; it gives the line of each. A line that cannot be kept
// gets a receipt that says so. From the first line on for which there is no
// room, none is taken, so that the order stays.
func FillSpool(s *Spool, r io.Reader, each func(Receipt)) (numbers []int, err error) {
	lines := newLineReader(r)
	var full error
	for {
		line, number, err := lines.next()
		if err != nil {
			synced := s.Sync()
			if errors.Is(err, io.EOF) {
				return numbers, synced
			}
			return numbers, errors.Join(&schemas.Error{Code: schemas.Malformed, Message: "the input cannot be read beyond line " + strconv.Itoa(number), Err: err}, synced)
		}
		if err = full; err == nil {
			err = s.Add(line)
		}
		if err == nil {
			numbers = append(numbers, number)
			continue
		}
		if errors.Is(err, ErrSpoolFull) {
			full = err
		} else if !schemas.Permanent(err) {
			return numbers, err // the disk fails
		}
		receipt := Receipt{Line: number, Warnings: []schemas.Warning{}, Error: asError(err)}
		receipt.Source, receipt.ID = identityOf(line)
		each(receipt)
	}
}

// SendSpool sends what waits in the spool, in order, until nothing is left or
// the server stays away; an error of code Unavailable then says so, and the
// rest waits on. Each event that is done, published or refused, gets its
// receipt; its Line is its place among those that waited, from 1. An event
// leaves the spool after that, so that a crash in between makes it be sent once
// more, and recognised. With wait it returns when the ledger knows the events.
func (c *Client) SendSpool(ctx context.Context, s *Spool, wait bool, each func(Receipt)) error {
	place := 0
	var last uint64
	for {
		piece, events, err := spooledChunk(s, place)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		done := 0
		var stuck, failed error
		greatest, err := c.sendChunk(ctx, piece, nil, func(r Receipt) {
			if stuck != nil || failed != nil {
				return
			}
			if r.Error != nil {
				if !refused(r.Error) {
					stuck = r.Error
					return
				}
				failed = s.Refuse(events[done], r.Error)
			}
			done++
			each(r)
		})
		if failed == nil {
			failed = s.Remove(done)
		}
		switch {
		case failed != nil:
			return failed
		case err != nil:
			return err
		case stuck != nil:
			return stuck
		}
		last = max(last, greatest)
		place += done
	}
	if !wait || last == 0 {
		return nil
	}
	_, err := c.sendChunk(ctx, &chunk{}, url.Values{"wait": {strconv.FormatUint(last, 10)}}, func(Receipt) {})
	return err
}

// refused tells whether a receipt is the last word on its event.
func refused(e *schemas.Error) bool {
	return schemas.Permanent(e) || e.Code == schemas.Forbidden
}

// spooledChunk gives the next events of the spool as one request.
func spooledChunk(s *Spool, place int) (*chunk, [][]byte, error) {
	c := &chunk{}
	var events [][]byte
	for event, err := range s.All() {
		if err != nil {
			return nil, nil, err
		}
		events = append(events, event)
		c.body.Write(event)
		c.body.WriteByte('\n')
		c.numbers = append(c.numbers, place+len(events))
		if len(events) >= chunkLines || c.body.Len() >= chunkBytes {
			break
		}
	}
	return c, events, nil
}

// SpooledReceipts gives a receipt for each event that waits behind the first
// skip ones; its Line is its place among all that wait.
func SpooledReceipts(s *Spool, skip int, each func(Receipt)) error {
	place := 0
	for event, err := range s.All() {
		if err != nil {
			return err
		}
		if place++; place > skip {
			receipt := Receipt{Line: place, Warnings: []schemas.Warning{}, Spooled: true}
			receipt.Source, receipt.ID = identityOf(event)
			each(receipt)
		}
	}
	return nil
}
