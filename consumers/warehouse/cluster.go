package warehouse

import (
	"regexp"
	"strings"
)

// The beginnings of statements that make, change or remove an object, up to its name, and the line of a table's engine. The
// migrations keep to this form (see schemas/clickhouse), so that a cluster needs no text of its own.
var (
	objectName  = regexp.MustCompile(`(?m)^((?:CREATE TABLE IF NOT EXISTS|CREATE OR REPLACE VIEW|CREATE VIEW IF NOT EXISTS|DROP TABLE IF EXISTS|ALTER TABLE) [a-z_][a-z0-9_]*)\b`)
	tableEngine = regexp.MustCompile(`(?m)^ENGINE = ((?:[A-Z][a-z]+)?MergeTree)(?:\((.*)\))?$`)
)

// replicaPath names a table in Keeper; the servers fill the macros.
const replicaPath = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"

// onCluster gives the statement for a cluster of ClickHouse servers: objects are made on all of them, tables are
// replicated between them. Without a cluster, and where nothing is made or removed, it is the statement itself.
func onCluster(statement, cluster string) string {
	if cluster == "" {
		return statement
	}
	statement = objectName.ReplaceAllString(statement, "$1 ON CLUSTER `"+strings.ReplaceAll(cluster, "$", "$$")+"`")
	return tableEngine.ReplaceAllStringFunc(statement, func(line string) string {
		parts := tableEngine.FindStringSubmatch(line)
		arguments := replicaPath
		if parts[2] != "" {
			arguments += ", " + parts[2]
		}
		return "ENGINE = Replicated" + parts[1] + "(" + arguments + ")"
	})
}
