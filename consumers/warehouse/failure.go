package warehouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"

	"milepost/schemas"
)

// unavailable wraps what ClickHouse, or the way to it, answered. All of it may heal: a server that starts, a disk that
// is given room, a password that is corrected.
func unavailable(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("ClickHouse: %s: %w", doing, err)
	}
	return &schemas.Error{
		Code: schemas.Unavailable, Message: "ClickHouse: " + doing + " failed", Hint: unavailableHint(err), Err: err,
	}
}

func unavailableHint(err error) string {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return "check that ClickHouse runs and that its address is right"
	}
	switch exception.Code {
	case 192, 193, 194, 516: // UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED
		return "check user and password of the ClickHouse address"
	case 497, 164: // ACCESS_DENIED, READONLY
		return "give the user the right to make, read and write tables of its database"
	case 81: // UNKNOWN_DATABASE
		return "make the database that the ClickHouse address names"
	case 60: // UNKNOWN_TABLE
		return "the migrations have not run on this database"
	case 243: // NOT_ENOUGH_SPACE
		return "give ClickHouse more disk space"
	}
	return "see ClickHouse's log"
}

// refusesRow tells whether the server refused an insert because of what a row holds, so that it would do so for ever.
// Every other exception speaks of the server or of the whole statement.
func refusesRow(err error) bool {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return false
	}
	switch exception.Code {
	case 69, // ARGUMENT_OUT_OF_BOUND
		131, // TOO_LARGE_STRING_SIZE
		321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
		469: // VIOLATED_CONSTRAINT
		return true
	}
	return false
}
