package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"milepost/schemas"
)

// KeepRules stores a rule set under its hash; storing it again changes nothing.
func (w *Warehouse) KeepRules(ctx context.Context, rules *schemas.Rules) error {
	hash, err := rules.Hash()
	if err != nil {
		return err
	}
	_, err = w.RulesByHash(ctx, hash)
	if schemas.CodeOf(err) != schemas.NotFound {
		return err
	}
	text, err := json.Marshal(rules)
	if err != nil {
		return fmt.Errorf("the rules do not encode: %w", err)
	}
	err = w.conn.Exec(ctx, "INSERT INTO rule_sets (hash, rules, stored_at) SELECT {hash:String}, {rules:String}, fromUnixTimestamp64Milli({at:Int64})",
		named("hash", hash), named("rules", string(text)), named("at", w.now().UnixMilli()))
	if err != nil {
		return unavailable("store the rule set", err)
	}
	return nil
}

// RulesByHash gives a rule set that was kept; the code is not_found when none
// has the hash.
func (w *Warehouse) RulesByHash(ctx context.Context, hash string) (*schemas.Rules, error) {
	var text string
	err := w.conn.QueryRow(ctx, "SELECT rules FROM rule_sets WHERE hash = {hash:String} LIMIT 1", named("hash", hash)).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &schemas.Error{Code: schemas.NotFound, Field: "rules_hash", Value: schemas.Shorten(hash), Message: "no such rule set is kept", Hint: "restore the warehouse from a backup that has it"}
	}
	if err != nil {
		return nil, unavailable("read the rule set", err)
	}
	rules := new(schemas.Rules)
	if err := json.Unmarshal([]byte(text), rules); err != nil {
		return nil, fmt.Errorf("rule set %s does not read: %w", hash, err)
	}
	return rules, nil
}
