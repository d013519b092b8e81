package warehouse

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"milepost/schemas"
)

// shardSuffix ends the names of the tables that hold a shard's part.
const shardSuffix = "_shard"

// shardingKeys are the tables that grow with the events, and how their rows are spread over the shards of a cluster: by
// what makes rows versions of each other, so that all versions of a row are on one shard, where ReplacingMergeTree and
// FINAL see them together. Conflicts of an identity are together for the same reason. All other tables are small, and kept
// by every server whole.
//
// It is by identity and not by project: an identity may be used for two projects by mistake, and still only one counts.
func shardingKeys() map[string]string {
	return map[string]string{
		"events": "cityHash64(source, id)", "contested": "cityHash64(source, id)", "content_hashes": "cityHash64(identity)", "dead_letters": "stream_seq",
	}
}

// endedShardingKeys are those of tables that grew with the events until a migration dropped them.
func endedShardingKeys() map[string]string {
	return map[string]string{"contents": "cityHash64(identity)"}
}

func shardingKey(table string) (key string, spread bool) {
	if key, spread = shardingKeys()[table]; !spread {
		key, spread = endedShardingKeys()[table]
	}
	return key, spread
}

// wholePath names a table in Keeper of which every server, of whatever shard, is a replica.
const wholePath = "'/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}'"

var (
	createTable  = regexp.MustCompile(`(?m)^CREATE TABLE IF NOT EXISTS ([a-z_][a-z0-9_]*)\b`)
	changeTable  = regexp.MustCompile(`(?m)^(?:ALTER TABLE|DROP TABLE IF EXISTS) ([a-z_][a-z0-9_]*)\b`)
	storedOnly   = regexp.MustCompile(`(?m)^\s*(?:ADD INDEX|MODIFY COLUMN [a-z_]+ CODEC)\b`)
	tableComment = regexp.MustCompile(`(?ms)^COMMENT '.*\z`)
)

// onShards gives the statements for a cluster of more than one shard in the place of one for a single server: a table that
// grows becomes a replicated table for each shard's part, and one under its own name through which all parts are read and
// written; every other table is replicated to all servers. What changes the columns of such a table, or drops it, does so to
// the parts and to what stands for them, which has no codecs and no indexes.
func onShards(statement, cluster string) []string {
	made := createTable.FindStringSubmatch(statement)
	if made == nil {
		changed := changeTable.FindStringSubmatch(statement)
		if changed == nil {
			return []string{onCluster(statement, cluster)}
		}
		if _, spread := shardingKey(changed[1]); !spread {
			return []string{onCluster(statement, cluster)}
		}
		part := onCluster(changeTable.ReplaceAllString(statement, "${0}"+shardSuffix), cluster)
		if storedOnly.MatchString(statement) {
			return []string{part}
		}
		return []string{part, onCluster(statement, cluster)}
	}
	name := made[1]
	key, spread := shardingKey(name)
	if !spread {
		return []string{strings.Replace(onCluster(statement, cluster), replicaPath, wholePath, 1)}
	}
	part := onCluster(createTable.ReplaceAllString(statement, "${0}"+shardSuffix), cluster)
	all := onCluster("CREATE TABLE IF NOT EXISTS "+name, cluster) +
		fmt.Sprintf(" AS %s%s\nENGINE = Distributed('%s', currentDatabase(), '%s%s', %s)", name, shardSuffix, cluster, name, shardSuffix, key)
	if comment := tableComment.FindString(statement); comment != "" {
		all += "\n" + comment
	}
	return []string{part, all}
}

// shardedSettings hold for every statement of a connection to a cluster of more than one shard: an INSERT is answered when
// the shards have the rows, not when they wait for them; and a table that is named in a subquery is that of all shards.
func shardedSettings() map[string]any {
	return map[string]any{"distributed_foreground_insert": 1, "distributed_product_mode": "global"}
}

// statements gives a migration's statement as this installation makes it.
func (w *Warehouse) statements(statement string) []string {
	if w.sharded {
		return onShards(statement, w.cluster)
	}
	return []string{onCluster(statement, w.cluster)}
}

// emptied is the statement that empties a table.
func (w *Warehouse) emptied(table string) string {
	if _, spread := shardingKeys()[table]; w.sharded && spread {
		return "TRUNCATE TABLE " + table + shardSuffix + " ON CLUSTER `" + w.cluster + "`"
	}
	return "TRUNCATE TABLE " + table
}

// checkShards refuses a cluster of more than one shard that nobody said is one: what is written to a server of one shard
// would not be seen on another. And it refuses to spread tables that exist whole.
func (w *Warehouse) checkShards(ctx context.Context) error {
	if w.cluster == "" {
		return nil
	}
	var shards uint64
	if err := w.conn.QueryRow(ctx, "SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = {cluster:String}", named("cluster", w.cluster)).Scan(&shards); err != nil {
		return unavailable("look at the cluster", err)
	}
	var whole uint64
	if err := w.conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'events' AND engine != 'Distributed'").Scan(&whole); err != nil {
		return unavailable("look at the tables", err)
	}
	return shardsRefused(w.cluster, w.sharded, shards, whole > 0)
}

// shardsRefused decides for checkShards.
func shardsRefused(cluster string, sharded bool, shards uint64, whole bool) error {
	refuse := func(message, hint string) error {
		return &schemas.Error{Code: schemas.Conflict, Field: "clickhouse_sharded", Value: cluster, Message: message, Hint: hint}
	}
	switch {
	case shards == 0:
		return refuse("ClickHouse knows no cluster of that name", "see SELECT cluster FROM system.clusters; the name is clickhouse_cluster")
	case shards > 1 && !sharded:
		return refuse(fmt.Sprintf("the cluster has %d shards, and the tables would not be spread over them", shards), "set clickhouse_sharded, or name a cluster of one shard")
	case sharded && whole:
		return refuse("the tables were made whole, and are not spread by this setting", "name an empty database, which the consumers fill from the stream and its archive, or leave clickhouse_sharded out")
	}
	return nil
}
