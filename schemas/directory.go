package schemas

import "slices"

// LeadName gives the directory's name of a lead that may be named by an alias;
// a name that the directory does not know stands for itself (specification §3).
func (r *Rules) LeadName(name string) string { return directoryName(r.Leads, name) }

// DepartmentName gives the directory's name of a department that may be named
// by an alias; a name that the directory does not know stands for itself.
func (r *Rules) DepartmentName(name string) string { return directoryName(r.Departments, name) }

func directoryName(directory []Entry, name string) string {
	for i := range directory {
		if directory[i].Name == name || slices.Contains(directory[i].Aliases, name) {
			return directory[i].Name
		}
	}
	return name
}
