package deploy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"milepost/deploy/settings"
	"milepost/producers/imports"
	"milepost/schemas"
)

type templateCommand struct {
	File     string `arg:"" help:"Where to write: FILE.xlsx the workbook to fill in, FILE.yaml its mapping." type:"path"`
	District string `help:"Code of the district whose office keeps the sheet; by default the city for all." placeholder:"CODE"`
	Config   string `help:"Configuration file whose districts, departments and leads become the drop-down lists." env:"MILEPOST_CONFIG" type:"existingfile"`
	Server   string `help:"Take the lists of this running server instead." env:"MILEPOST_SERVER" placeholder:"URL"`
	Token    string `env:"MILEPOST_TOKEN" help:"Token of the sender, for the server." placeholder:"TOKEN"`
	Force    bool   `help:"Replace the file if there is one."`
}

// Run writes the template of an office's 台账, or its mapping.
func (c *templateCommand) Run(env *environment) error {
	form := strings.TrimPrefix(strings.ToLower(filepath.Ext(c.File)), ".")
	if form == "yml" {
		form = "yaml"
	}
	if form != "xlsx" && form != "yaml" {
		return usageError("FILE", c.File, "no kind of template", "name it FILE.xlsx, or FILE.yaml for its mapping")
	}
	// Beside its place first, so that nothing half written stays there.
	out, err := os.CreateTemp(filepath.Dir(c.File), ".template-*")
	if err != nil {
		return usageError("FILE", c.File, "the file cannot be written", errors.Unwrap(err).Error())
	}
	defer os.Remove(out.Name()) // gone already when all went well
	if err := errors.Join(c.write(env, form, out), out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	if c.Force {
		return os.Rename(out.Name(), c.File)
	}
	err = os.Link(out.Name(), c.File)
	if errors.Is(err, fs.ErrExist) {
		return usageError("FILE", c.File, "there is such a file already", "choose another name, or replace it by --force")
	}
	return err
}

func (c *templateCommand) write(env *environment, form string, out *os.File) error {
	if c.Server != "" {
		client, err := newClient(c.Server, httpClient(c.Server, c.Token))
		if err != nil {
			return err
		}
		return imports.DownloadTemplate(env.ctx, importServer{client}, form, c.District, out)
	}
	config, err := settings.Load(c.Config)
	if err != nil {
		return err
	}
	config = config.WithDefaults()
	if err := config.Check(); err != nil {
		return err
	}
	book, err := config.RuleBook()
	if err != nil {
		return err
	}
	rules := book.Current(env.now())
	district := c.District
	if district == "" {
		district = schemas.CityDistrict
	}
	if form == "xlsx" {
		return imports.Template{Rules: rules, Sender: district, On: schemas.DateOf(env.now())}.Write(out)
	}
	text := imports.TemplateMapping(district, "")
	if _, err := imports.ParseMapping(text, rules); err != nil {
		return &schemas.Error{Code: schemas.Unknown, Field: "--district", Value: schemas.Shorten(district), Message: "no configured district", Hint: "one of " + strings.Join(rules.DistrictCodes(), ", "), Err: err}
	}
	_, err = out.Write(text)
	return err
}
