package schemas

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Rules are the numbers, names and lists that give the events their meaning
// (specification §2, §5, §7, §8). The zero value is of no use; start from
// DefaultRules.
type Rules struct {
	// Groups are ranked apart from each other; their order is that of the
	// bulletin.
	Groups []Group `json:"groups" yaml:"groups"`
	// Districts are the codes that events may carry, besides CityDistrict.
	Districts []District `json:"districts" yaml:"districts"`
	// Departments and Leads are the directory: an alias counts as its name.
	Departments Directory `json:"departments,omitzero" yaml:"-"`
	Leads       Directory `json:"leads,omitzero" yaml:"-"`
	// DepartmentsClosed and LeadsClosed tell that a name which the directory
	// does not have is refused; else it is its own key, with a warning.
	DepartmentsClosed bool `json:"departments_closed,omitzero" yaml:"departments_closed"`
	LeadsClosed       bool `json:"leads_closed,omitzero" yaml:"leads_closed"`
	// EvidenceRequired tells that a milestone reached on a day of these rules
	// is refused without evidence.
	EvidenceRequired bool `json:"evidence_required,omitzero" yaml:"evidence_required"`
	// ReportDay is the day of the following month by which a month's report
	// is due.
	ReportDay int `json:"report_day" yaml:"report_day"`
	// YellowMonths and RedMonths are the overdue months from which the
	// schedule light is yellow and red.
	YellowMonths int `json:"yellow_months" yaml:"yellow_months"`
	RedMonths    int `json:"red_months" yaml:"red_months"`
	// YellowLag and RedLag are the percentage points of investment behind time
	// progress above which the investment light is yellow and red.
	YellowLag int `json:"yellow_lag" yaml:"yellow_lag"`
	RedLag    int `json:"red_lag" yaml:"red_lag"`
	// StalledMonths is how many calendar months without any progress make a
	// project stalled.
	StalledMonths int `json:"stalled_months" yaml:"stalled_months"`
	// Method lists the seven items (七个一) that are judged, in print order.
	Method []MethodItem `json:"method" yaml:"method"`
	// Weights are those of the score.
	Weights Weights `json:"weights" yaml:"weights"`
	// Assessment are the numbers of the year-end assessment; nil is the
	// specification's. Read them by Assessing.
	Assessment *AssessmentRules `json:"assessment,omitempty" yaml:"assessment"`
}

// Group is a set of districts that are ranked against each other.
type Group struct {
	Code string `json:"code" yaml:"code"`
	Name string `json:"name" yaml:"name"`
}

// District is a county, county-level city or district.
type District struct {
	Code  string `json:"code" yaml:"code"`
	Name  string `json:"name" yaml:"name"`
	Group string `json:"group" yaml:"group"`
}

// MethodKey names one of the seven items.
type MethodKey string

// The items of the default list.
const (
	MethodProject    MethodKey = "project"
	MethodLead       MethodKey = "lead"
	MethodDepartment MethodKey = "department"
	MethodLedger     MethodKey = "ledger"
	MethodSchedule   MethodKey = "schedule"
	MethodBulletin   MethodKey = "bulletin"
	MethodClosure    MethodKey = "closure"
)

// MethodItem is one of the seven items with its wording.
type MethodItem struct {
	Key  MethodKey `json:"key" yaml:"key"`
	Name string    `json:"name" yaml:"name"`
}

// Weights are the weights of a row's score (specification §8).
type Weights struct {
	Milestones [MilestoneCount]int `json:"milestones" yaml:"milestones"`
	Ledger     int                 `json:"ledger" yaml:"ledger"`
	Investment int                 `json:"investment" yaml:"investment"`
}

// DefaultRules gives the specification's defaults with the districts of
// Jiaozuo.
func DefaultRules() *Rules {
	return &Rules{
		Groups: []Group{{"county", "县(市)组"}, {"urban", "城区组"}},
		Districts: []District{
			{"jiefang", "解放区", "urban"}, {"shanyang", "山阳区", "urban"}, {"zhongzhan", "中站区", "urban"},
			{"macun", "马村区", "urban"}, {"shifanqu", "城乡一体化示范区", "urban"},
			{"xiuwu", "修武县", "county"}, {"wuzhi", "武陟县", "county"}, {"boai", "博爱县", "county"},
			{"wenxian", "温县", "county"}, {"qinyang", "沁阳市", "county"}, {"mengzhou", "孟州市", "county"},
		},
		ReportDay: 10, YellowMonths: 1, RedMonths: 3, YellowLag: 10, RedLag: 30, StalledMonths: 3,
		Method: []MethodItem{
			{MethodProject, "一个项目"}, {MethodLead, "一名市级领导"}, {MethodDepartment, "一个市直部门"},
			{MethodLedger, "一本台账"}, {MethodSchedule, "一张节点表"}, {MethodBulletin, "一期通报"}, {MethodClosure, "一包到底"},
		},
		Weights: Weights{Milestones: [MilestoneCount]int{30, 30, 20}, Ledger: 10, Investment: 10},
	}
}

// Hash tells rule sets apart: the SHA-256 of their JSON in hexadecimal.
func (r *Rules) Hash() (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("the rules do not encode: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// LeadName gives the directory's name of a lead that may be named by an alias
// on the day; a name that the directory does not know stands for itself
// (specification §3).
func (r *Rules) LeadName(name string, day Date) string { return r.Leads.NameOn(name, day) }

// DepartmentName gives the directory's name of a department that may be named
// by an alias on the day; a name that the directory does not know stands for
// itself.
func (r *Rules) DepartmentName(name string, day Date) string { return r.Departments.NameOn(name, day) }

// KnownDistrict tells whether an event may carry the code.
func (r *Rules) KnownDistrict(code string) bool {
	if code == CityDistrict {
		return true
	}
	_, ok := r.District(code)
	return ok
}

// District finds a configured district by its code.
func (r *Rules) District(code string) (District, bool) {
	for _, d := range r.Districts {
		if d.Code == code {
			return d, true
		}
	}
	return District{}, false
}

// DistrictName gives the configured name, or the code itself.
func (r *Rules) DistrictName(code string) string {
	if d, ok := r.District(code); ok {
		return d.Name
	}
	return code
}

// DistrictCodes lists the configured codes in their order.
func (r *Rules) DistrictCodes() []string {
	codes := make([]string, len(r.Districts))
	for i, d := range r.Districts {
		codes[i] = d.Code
	}
	return codes
}

// ReportingMonth is M*: the month at which everything that is reported monthly
// is judged on the day (specification §5). It is the day's own month on its
// last day, else the latest month whose reports are due.
func (r *Rules) ReportingMonth(day Date) Month {
	if day.IsMonthEnd() {
		return day.Month()
	}
	if day.Day() >= r.ReportDay {
		return day.Month() - 1
	}
	return day.Month() - 2
}
