package imports_test

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"milepost/producers/imports"
	"milepost/schemas"
)

const exampleDir = "../../deploy/examples/capital-projects/"

// A made-up sheet in the form of the example's, with its traps.
const capitalSheet = "\ufeffDate Reported As Of,PID,Project Name,Description,Category,Borough,Managing Agency,Client Agency,Current Phase,Budget Forecast,Forecast Completion\r\n" +
	"01/01/2015 12:00:00 AM,7,Weir One,\"Rebuilds\r\na weir, twice\",Water,Carmel,DEP,DEP,Design,,\r\n" +
	"05/01/2014 12:00:00 AM,7,Weir One,\"Rebuilds\r\na weir, twice\",Water,Carmel,DEP,DEP,,,\r\n" +
	"06/01/2016 12:00:00 AM,7,Weir One,,Water,Carmel,DEP,DEP,Construction,63554849.18,05/10/2017\r\n" +
	"09/01/2016 12:00:00 AM,7,Weir One,,Water,Carmel,DEP,DEP,Design,-4102606,06/10/2018\r\n" +
	"01/01/2015 12:00:00 AM,8,Bridge Two,,Bridges,\"Manhatten, New York\",DOT,,Close-Out,150000,03/15/2027\r\n" +
	"01/01/2015 12:00:00 AM,9,Ferry Three,,Ferries,\"Bronx, Manhattan\",EDC,NA,Scoping/Planning,50,03/15/2027\r\n" +
	"01/01/2015 12:00:00 AM,10,School Four,,Schools,,SCA,\"DOE, SCA\",,30000000,\r\n"

func TestCapitalProjectsExample(t *testing.T) {
	config, err := os.ReadFile(exampleDir + "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var configured struct {
		Groups    []schemas.Group
		Districts []schemas.District
	}
	if err := yaml.UnmarshalWithOptions(config, &configured, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	rules := schemas.DefaultRules()
	rules.Groups, rules.Districts = configured.Groups, configured.Districts
	if len(rules.Groups) != 1 || len(rules.Districts) != 7 {
		t.Errorf("configuration %+v", configured)
	}
	o := openOffice(t, rules, imports.HandlerOptions{})
	file := o.write(t, "capital.csv", capitalSheet)
	r, err := imports.Upload(t.Context(), o.client, exampleDir+"mapping.yaml", []string{file}, imports.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := counts(r); got != "added 4 changed 0 unchanged 0 refused 0 planned 13 published 13 failed 0 warnings 2" {
		t.Errorf("%s %+v %+v", got, r.Warnings, r.Errors)
	}
	dry, err := imports.Upload(t.Context(), o.client, exampleDir+"mapping.yaml", []string{file}, imports.UploadOptions{})
	if err != nil || dry.Planned != 0 || dry.Unchanged != 4 {
		t.Errorf("again: %+v %v", dry, err)
	}
	mapping, err := os.ReadFile(exampleDir + "mapping.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := imports.ParseMapping(mapping, rules)
	if err != nil {
		t.Fatal(err)
	}
	reading := &imports.Reading{}
	reading.Read(m, "capital.csv", strings.NewReader(capitalSheet), 0, schemas.NewDate(2025, 1, 1))
	plan, err := imports.MakePlan(m, rules, reading.Snapshots, failing{}.EventsFrom(t.Context(), ""))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range plan.Events {
		_, data, _ := strings.Cut(string(e.Raw), `"data":`)
		got = append(got, e.Snapshot.String()+" "+e.ProjectID+" "+strings.TrimSuffix(data, "}"))
	}
	want := `2014-05-01 7 {"name":"Weir One","industry":"Water","total_investment":0,"registered_on":"2014-05-01","district":"upstate"}
2014-05-01 7 {"lead":"DEP","department":"DEP","effective_on":"2014-05-01"}
2015-01-01 8 {"name":"Bridge Two","industry":"Bridges","total_investment":15,"targets":{"producing":"2027-03-15"},"registered_on":"2015-01-01","district":"manhattan"}
2015-01-01 8 {"lead":"DOT","department":"DOT","effective_on":"2015-01-01"}
2015-01-01 8 {"milestone":"started","reached_on":"2015-01-01"}
2015-01-01 9 {"name":"Ferry Three","industry":"Ferries","total_investment":0.01,"targets":{"producing":"2027-03-15"},"registered_on":"2015-01-01","district":"citywide"}
2015-01-01 9 {"lead":"EDC","department":"EDC","effective_on":"2015-01-01"}
2015-01-01 10 {"name":"School Four","industry":"Schools","total_investment":3000,"registered_on":"2015-01-01","district":"citywide"}
2015-01-01 10 {"lead":"DOE","department":"SCA","effective_on":"2015-01-01"}
2016-06-01 7 {"effective_on":"2016-06-01","total_investment":6355.48}
2016-06-01 7 {"milestone":"started","reached_on":"2016-06-01"}
2016-06-01 7 {"milestone":"producing","planned_on":"2017-05-10","decided_on":"2016-06-01","approved":false}
2016-09-01 7 {"milestone":"producing","planned_on":"2018-06-10","decided_on":"2016-09-01","approved":false}`
	if strings.Join(got, "\n") != want {
		t.Errorf("events\n%s\nwanted\n%s", strings.Join(got, "\n"), want)
	}
}
