package warehouse

import (
	"context"
	"iter"
	"slices"
	"strings"

	"milepost/schemas"
)

// Standings yields the rows of the ledger at the cut by project id, of those behind a given one. Of what was judged before
// they stream row by row, whatever their number; else everything is judged first. It fails with the code unavailable when
// the warehouse does, or when what was judged is forgotten while it is read.
func (r *Reader) Standings(ctx context.Context, cut schemas.Cut, after string) iter.Seq2[*schemas.Standing, error] {
	return func(yield func(*schemas.Standing, error) bool) {
		taken, err := r.standingsJudgedBefore(ctx, cut, after, yield)
		if err != nil {
			yield(nil, err)
		}
		if taken || err != nil {
			return
		}
		l, err := r.Ledger(ctx, cut)
		if err != nil {
			yield(nil, err)
			return
		}
		first, _ := slices.BinarySearchFunc(l.Standings, after+"\x00", func(s schemas.Standing, id string) int { return strings.Compare(s.ProjectID, id) })
		for i := first; i < len(l.Standings); i++ {
			if !yield(&l.Standings[i], nil) {
				return
			}
		}
	}
}

// standingsJudgedBefore tells whether there was what it streams.
func (r *Reader) standingsJudgedBefore(ctx context.Context, cut schemas.Cut, after string, yield func(*schemas.Standing, error) bool) (taken bool, err error) {
	_, s, err := r.begin(ctx, cut.KnownSeq)
	if err != nil {
		return false, err
	}
	found, err := s.takeOver(ctx, []schemas.Cut{cut})
	if err != nil || len(found) == 0 {
		return false, err
	}
	m := found[0].making
	again := slices.DeleteFunc(found[0].again, func(j schemas.Judged) bool { return j.ProjectID <= after })
	slices.SortFunc(again, func(a, b schemas.Judged) int { return strings.Compare(a.ProjectID, b.ProjectID) })
	asked, err := s.stream(ctx, m, after, again, yield)
	if err != nil || !asked {
		return true, err
	}
	// A making is forgotten before its rows are: while its note is there, all rows were.
	var noted uint64
	if err := r.conn.QueryRow(ctx, "SELECT count() FROM judged_cuts WHERE making = {making:String}", named("making", m.id)).Scan(&noted); err != nil {
		return true, unavailable("read what was judged", err)
	}
	if noted == 0 {
		return true, unavailable("read what was judged", errForgotten)
	}
	return true, nil
}

// stream yields rows; asked is false when nobody wants more of them.
func (s *judgedStore) stream(ctx context.Context, m *making, after string, again []schemas.Judged, yield func(*schemas.Standing, error) bool) (asked bool, err error) {
	put := func(standing *schemas.Standing) bool { return standing.ProjectID == "" || yield(standing, nil) }
	same := func(text string) string { return text }
	for p, err := range s.packed(ctx, m, packedInOrder, after) {
		if err != nil {
			return true, err
		}
		for len(again) > 0 && again[0].ProjectID < p.ProjectID {
			if !put(&again[0].Standing) {
				return false, nil
			}
			again = again[1:]
		}
		var j schemas.Judged
		if len(again) > 0 && again[0].ProjectID == p.ProjectID {
			j, again = again[0], again[1:]
		} else if err := schemas.UnpackJudged(p.ProjectID, p.Text, same, &j); err != nil {
			return true, err
		}
		if !put(&j.Standing) {
			return false, nil
		}
	}
	for i := range again {
		if !put(&again[i].Standing) {
			return false, nil
		}
	}
	return true, nil
}
