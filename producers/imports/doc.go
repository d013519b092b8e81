// Package imports turns the snapshots of a project spreadsheet (台账) into
// events. A mapping says what the columns mean; Read reads files into
// snapshots; Plan, which does no I/O, compares each snapshot with what was in
// force on its day according to the events that the same source has published,
// and gives exactly the events that are missing; Importer joins the two to the
// stream.
//
// The rules of Plan:
//
//   - A blank cell says nothing: what was said before stays. A default stands
//     only until something is said.
//   - An event's id holds the snapshot's date, the project, what it says and a
//     hash of its data, so the same file makes the same events; its time is
//     23:59:59 of the snapshot's day in Asia/Shanghai, so that nothing in the
//     snapshot lies after it.
//   - A value that returns to an earlier one on a later date is published
//     again. A corrected re-issue of a date publishes the difference.
//   - An older snapshot that comes after a newer one only adds what it claims
//     on its own date.
//   - What a person revoked and the file still claims is told, not sent again.
//   - A row with a bad cell is refused whole; other rows go on. Two different
//     rows of one project in one snapshot: the last counts, as in a sheet that
//     is amended at its end, with a warning.
package imports
