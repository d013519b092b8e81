package document

// Sources answer where a figure comes from.
type Sources interface {
	// Source gives the source of the value at the path; false when there is none
	// to tell.
	Source(path string) (Source, bool)
}

// Source says where a figure comes from.
type Source struct {
	// Definition says in one sentence what is counted.
	Definition string
	// Select gives the figure, over the views that analysts query.
	Select string
	// Events gives the events behind it.
	Events string
}
