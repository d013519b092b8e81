// Package alerts tells the people concerned of what happens between bulletins:
// a light turned red, an issue past its deadline, a report that is missing after
// the report day, a milestone reached. What is alerted is a function of two
// ledgers; who is told, of the configuration.
package alerts

import (
	"fmt"

	"milepost/schemas"
)

// Kind says what an alert is about.
type Kind string

// The kinds.
const (
	TurnedRed  Kind = "red"        // 亮红灯
	Overdue    Kind = "overdue"    // 问题逾期
	Unreported Kind = "unreported" // 应报未报
	Reached    Kind = "reached"    // 节点完成
	// Missing is of reminders: a report that is still to come before the report
	// day (催报).
	Missing Kind = "missing"
)

// Kinds lists the kinds of alerts; all are on by default.
func Kinds() []Kind { return []Kind{TurnedRed, Overdue, Unreported, Reached} }

// Alert is one thing that happened to one project.
type Alert struct {
	Kind      Kind
	ProjectID string
	Name      string
	District  string
	Holder    schemas.Holder
	// Issue, its department and its deadline, of Overdue.
	IssueID    string
	Issue      string
	Department string
	DueOn      schemas.Date
	// Milestone and its day, of Reached.
	Milestone schemas.Milestone
	ReachedOn schemas.Date
	LateDays  *int // nil: not known
	// Month whose report is missing, of Unreported and Missing.
	Month schemas.Month
}

var milestones = [...]string{schemas.Landed: "落地", schemas.Started: "开工", schemas.Producing: "投产"}

// Text says the alert in a sentence.
func (a *Alert) Text() string {
	project := fmt.Sprintf("%s %s", a.ProjectID, a.Name)
	switch a.Kind {
	case TurnedRed:
		return fmt.Sprintf("【亮红灯】%s:亮灯转为红灯", project)
	case Overdue:
		return fmt.Sprintf("【问题逾期】%s:“%s”限 %s 前解决,尚未销号", project, a.Issue, a.DueOn)
	case Unreported:
		return fmt.Sprintf("【应报未报】%s:%s 进度未按期报送", project, a.Month)
	case Missing:
		return fmt.Sprintf("【催报】%s:%s 进度尚未报送", project, a.Month)
	case Reached:
		late := ""
		switch {
		case a.LateDays == nil:
		case *a.LateDays > 0:
			late = fmt.Sprintf(",晚于目标 %d 天", *a.LateDays)
		default:
			late = ",按期"
		}
		return fmt.Sprintf("【节点完成】%s:%s 于 %s 完成%s", project, milestones[a.Milestone], a.ReachedOn, late)
	}
	return project
}
