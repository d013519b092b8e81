package warehouse

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"milepost/schemas"
	migrations "milepost/schemas/clickhouse"
)

// TestEveryMigrationSuitsShards looks at each statement's texts for a cluster of several shards: every table is there once
// under its own name, the ones that grow are spread by a part of what makes rows versions of each other, and the engine in
// the box reads all of it.
func TestEveryMigrationSuitsShards(t *testing.T) {
	t.Parallel()
	w := open(t)
	known, err := readMigrations(migrations.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	known = append(known, migration{name: "the record of migrations", statements: []string{createMigrationTable}})
	order, columns := regexp.MustCompile(`(?m)^ORDER BY \(?([^)\n;]*)`), regexp.MustCompile(`[a-z_]+`)
	changesShards := regexp.MustCompile(`(?m)^(ALTER TABLE |DROP TABLE IF EXISTS )(events|contents|contested|content_hashes|dead_letters)\b(.*)$`)
	spread, changes := map[string]bool{}, 0
	for _, m := range known {
		for i, single := range m.statements {
			texts := onShards(single, "city")
			for _, text := range texts {
				var formatted string
				if err := w.conn.QueryRow(t.Context(), "SELECT formatQuery({text:String})", named("text", text)).Scan(&formatted); err != nil {
					t.Errorf("%s, statement %d does not parse: %v\n%s", m.name, i+1, err, text)
				}
			}
			made := createTable.FindStringSubmatch(single)
			if changed := changesShards.FindStringSubmatch(single); made == nil && changed != nil {
				on := changed[1] + changed[2] + "_shard ON CLUSTER `city`" + changed[3]
				if !strings.Contains(texts[0], on) || len(texts) != map[bool]int{true: 1, false: 2}[strings.Contains(single, "CODEC") || strings.Contains(single, "INDEX")] ||
					len(texts) == 2 && texts[1] != onCluster(single, "city") {
					t.Errorf("%s, statement %d does not change the parts of the shards, or not what stands for them: %q", m.name, i+1, texts)
				}
				changes++
				continue
			}
			if made == nil {
				if len(texts) != 1 || texts[0] != onCluster(single, "city") {
					t.Errorf("%s, statement %d: %q", m.name, i+1, texts)
				}
				continue
			}
			name := made[1]
			key, grows := shardingKey(name)
			if !grows {
				if len(texts) != 1 || !strings.Contains(texts[0], "MergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}'") {
					t.Errorf("%s is not on every server: %q", name, texts)
				}
				continue
			}
			spread[name] = true
			if len(texts) != 2 || !strings.Contains(texts[0], "TABLE IF NOT EXISTS "+name+"_shard ON CLUSTER `city`") || !strings.Contains(texts[0], "Replicated") || !strings.Contains(texts[0], "'/clickhouse/tables/{shard}/") {
				t.Errorf("%s has no part for each shard: %q", name, texts)
				continue
			}
			if want := fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s ON CLUSTER `city` AS %s_shard\nENGINE = Distributed('city', currentDatabase(), '%s_shard', %s)\nCOMMENT '", name, name, name, key); !strings.HasPrefix(texts[1], want) {
				t.Errorf("%s is read and written by %q", name, texts[1])
			}
			sorted := columns.FindAllString(order.FindStringSubmatch(single)[1], -1)
			for _, column := range columns.FindAllString(strings.TrimPrefix(key, "cityHash64"), -1) {
				if !slices.Contains(sorted, column) {
					t.Errorf("versions of a row of %s, which have the same %v, may be on two shards: %s", name, sorted, key)
				}
			}
		}
	}
	for name := range shardedSettings() {
		var exists uint64
		if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM system.settings WHERE name = {name:String}", named("name", name)).Scan(&exists); err != nil || exists != 1 {
			t.Errorf("%s is no setting of the engine, %v", name, err)
		}
	}
	if len(spread) != len(shardingKeys())+len(endedShardingKeys()) || changes < 5 {
		t.Errorf("spread: %v; %d statements change such a table", spread, changes)
	}
}

// TestSpreadRowsSayTheSame puts the rows of every table that grows, repeated versions included, into two parts by its key,
// as the shards would hold them, and reads both parts as one. Tables and views say what they said. The tables that stand
// for the shards are in one server, and a table of the engine Merge reads them, because the engine in the box knows no
// cluster: this shows that no answer needs rows of two shards at once, and nothing of the network between them.
func TestSpreadRowsSayTheSame(t *testing.T) {
	t.Parallel()
	w := open(t)
	var deliveries []Delivery
	for i := range 300 {
		deliveries = append(deliveries, progress(t, uint64(i+1), fmt.Sprintf("s%d", i), 1))
	}
	for i := range 60 {
		deliveries = append(deliveries, progress(t, uint64(400+i), fmt.Sprintf("s%d", i*3), 2), progress(t, uint64(500+i), fmt.Sprintf("s%d", i*5), 1))
	}
	w.stream.(*fakeStream).hold(deliveries)
	for chunk := range slices.Chunk(deliveries, 71) {
		letter := DeadLetter{Sequence: chunk[0].Sequence + 1000, RecordedAt: recordedAt, Subject: "x", Reason: &schemas.Error{Code: schemas.Invalid, Message: "no"}}
		if _, err := w.Write(t.Context(), Batch{Deliveries: chunk, DeadLetters: []DeadLetter{letter}}); err != nil {
			t.Fatal(err)
		}
	}
	exec := func(sql string) {
		t.Helper()
		if err := w.conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	questions := []string{
		"SELECT toString((count(), sum(cityHash64(source, id, stream_seq, data)))) FROM events FINAL",
		"SELECT toString((count(), sum(cityHash64(identity, fingerprint, stream_seq)))) FROM content_hashes FINAL",
		"SELECT toString((count(), sum(cityHash64(event_id, fingerprint, stream_seq, counted_seq)))) FROM conflicts",
		"SELECT toString((count(), max(stream_seq))) FROM dead_letters FINAL",
		"SELECT toString((count(), sum(cityHash64(*)))) FROM reporting_delays",
		"SELECT toString(count()) FROM published_editions",
		"SELECT toString(greatest((SELECT max(stream_seq) FROM content_hashes), (SELECT max(stream_seq) FROM dead_letters)))",
		"SELECT toString((count(), sum(cityHash64(identity)))) FROM (SELECT identity FROM content_hashes GROUP BY identity HAVING count() > 1)",
	}
	ask := func() (answers []string) {
		for _, question := range questions {
			var answer string
			if err := w.conn.QueryRow(t.Context(), question).Scan(&answer); err != nil {
				t.Fatalf("%s: %v", question, err)
			}
			answers = append(answers, answer)
		}
		return answers
	}
	want := ask()
	if !strings.HasPrefix(want[2], "(60,") {
		t.Fatalf("conflicts: %s", want[2])
	}
	for table, key := range shardingKeys() {
		for shard := range 2 {
			part := fmt.Sprintf("%s%s_%d", table, shardSuffix, shard)
			exec("CREATE TABLE " + part + " AS " + table)
			exec(fmt.Sprintf("INSERT INTO %s SELECT * FROM %s WHERE %s %% 2 = %d", part, table, key, shard))
			var rows uint64
			if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM "+part).Scan(&rows); err != nil || rows == 0 {
				t.Errorf("%s holds %d rows, %v", part, rows, err)
			}
		}
		exec("RENAME TABLE " + table + " TO " + table + "_whole")
		exec(fmt.Sprintf("CREATE TABLE %s AS %s_whole ENGINE = Merge(currentDatabase(), '^%s%s_[01]$')", table, table, table, shardSuffix))
	}
	if got := ask(); !slices.Equal(got, want) {
		t.Errorf("whole\n%q\nin parts\n%q", want, got)
	}
}

func TestShardsThatNobodyNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sharded bool
		shards  uint64
		whole   bool
		says    string
	}{
		{false, 1, false, ""}, {false, 1, true, ""}, {true, 2, false, ""}, {true, 1, false, ""},
		{false, 0, false, "no cluster of that name"}, {false, 2, true, "2 shards"}, {true, 2, true, "made whole"},
	} {
		err := shardsRefused("city", c.sharded, c.shards, c.whole)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	w := &Warehouse{cluster: "city", sharded: true}
	if got := w.emptied("events"); got != "TRUNCATE TABLE events_shard ON CLUSTER `city`" {
		t.Error(got)
	}
	if got := w.emptied("rule_sets"); got != "TRUNCATE TABLE rule_sets" {
		t.Error(got)
	}
}
