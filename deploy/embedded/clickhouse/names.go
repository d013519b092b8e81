package clickhouse

import "strings"

// tableFunctions are those that readers may call: they read nothing but their arguments.
var tableFunctions = map[string]bool{
	"numbers": true, "numbers_mt": true, "zeros": true, "zeros_mt": true, "primes": true, "generateSeries": true, "generate_series": true,
	"generateRandom": true, "values": true, "SQLStandardValues": true, "null": true, "view": true,
}

// refusedTableFunctions are the engine's other table functions. A test holds this list and tableFunctions equal to
// what the engine has, so that a new engine's new functions are judged before it is used.
var refusedTableFunctions = nameSet(`
arrowstream azureBlobStorage azureBlobStorageCluster cluster clusterAllReplicas cosn deltaLake deltaLakeAzure deltaLakeAzureCluster
deltaLakeCluster deltaLakeLocal deltaLakeS3 deltaLakeS3Cluster dictionary eval executable file fileCluster filesystem format fuzzJSON
fuzzQuery gcs hdfs hdfsCluster hudi hudiCluster iceberg icebergAzure icebergAzureCluster icebergCluster icebergHDFS icebergHDFSCluster
icebergLocal icebergLocalCluster icebergS3 icebergS3Cluster input jdbc loop merge mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID
mergeTreeIndex mergeTreeProjection mergeTreeTextIndex mongodb mysql odbc oss paimon paimonAzure paimonAzureCluster paimonCluster
paimonHDFS paimonHDFSCluster paimonLocal paimonS3 paimonS3Cluster postgresql prometheusQuery prometheusQueryRange redis remote
remoteSecure s3 s3Cluster sqlite timeSeriesData timeSeriesMetrics timeSeriesSamples timeSeriesSelector timeSeriesTags url urlCluster
viewExplain viewIfPermitted ytsaurus python`)

// scalarAndTable are names of both a harmless scalar function and a refused table function.
var scalarAndTable = map[string]bool{"format": true, "fuzzQuery": true}

// refusedScalars are functions that read files, the configuration or the network.
var refusedScalars = nameSet(`
catboostEvaluate getMacro getServerSetting showCertificate reverseDNSQuery addressToLine addressToLineWithInlines
addressToSymbol`)

// readableSystemTables are the system tables that tell a client what it may ask, and nothing about others' statements,
// configuration, files or secrets.
var readableSystemTables = nameSet(`
one numbers numbers_mt zeros zeros_mt primes tables columns databases functions formats data_type_families settings time_zones
build_options contributors licenses keywords aggregate_function_combinators collations codecs table_engines table_functions
database_engines data_skipping_indices documentation completions unicode`)

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}

// refusedFunction reports whether a call of that name is refused wherever it stands. The engine's names of these
// functions are case-sensitive, but some have been aliased in other cases before, so case is ignored here.
func refusedFunction(name string) bool {
	if scalarAndTable[name] || tableFunctions[name] {
		return false
	}
	lower := strings.ToLower(name)
	return refusedNames[lower] || len(name) > 2 && lower[:2] == "ai" && isUpper(name[2])
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

var refusedNames = func() map[string]bool {
	set := map[string]bool{}
	for _, names := range []map[string]bool{refusedTableFunctions, refusedScalars} {
		for name := range names {
			set[strings.ToLower(name)] = true
		}
	}
	for name := range scalarAndTable {
		delete(set, strings.ToLower(name))
	}
	return set
}()

func systemTable(database, table string) error {
	if !strings.EqualFold(database, "system") || readableSystemTables[table] {
		return nil
	}
	return refuse("system.tables, system.columns, system.functions and their like are readable", "table system.%s", table)
}
