package deploy

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"milepost/deploy/settings"
	"milepost/scheduler/deliver"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// maxSecret bounds a secret's file, in bytes.
const maxSecret = 16 << 10

// secretOf reads a secret from its file or variable; neither gives "". The
// secret is in no error.
func secretOf(field, file, variable string) (string, error) {
	refuse := func(value, message, hint string, err error) error {
		return &schemas.Error{Code: schemas.Invalid, Field: field, Value: value, Message: message, Hint: hint, Err: err}
	}
	var text string
	switch {
	case file != "":
		content, err := os.ReadFile(file)
		if err != nil {
			return "", refuse(file, "cannot read the file of a secret", "let the server read it", err)
		}
		if len(content) > maxSecret {
			return "", refuse(file, "too long for a secret", "", nil)
		}
		text = strings.TrimSpace(string(content))
	case variable != "":
		text = strings.TrimSpace(os.Getenv(variable))
		file = variable
	default:
		return "", nil
	}
	if text == "" {
		return "", refuse(file, "the secret is empty", "write it there", nil)
	}
	return text, nil
}

// targets makes the targets of the configuration, with their secrets.
func (a *App) targets() ([]deliver.Target, error) {
	var list []deliver.Target
	for i := range a.config.Delivery.Targets {
		c := &a.config.Delivery.Targets[i]
		sender, err := a.sender(c)
		if err != nil {
			return nil, fmt.Errorf("delivery.targets[%d] (%s): %w", i, c.Name, err)
		}
		list = append(list, deliver.Target{Name: c.Name, Kinds: c.Kinds, Edition: cmp.Or(c.Edition, string(document.Official)), Formats: c.Formats, LettersOnly: c.LettersOnly, Sender: sender})
	}
	return list, nil
}

func (a *App) sender(c *settings.TargetConfig) (deliver.Sender, error) {
	switch c.Type {
	case settings.ToFolder:
		return deliver.NewFolder(c.Dir), nil
	case settings.ToNATS:
		return deliver.NewSubject(a.js), nil
	case settings.ToEmail:
		return mailSender(c)
	}
	address, err := secretOf("url_file", c.URLFile, c.URLEnv)
	if err != nil {
		return nil, err
	}
	if address == "" {
		address = c.URL
	}
	if err := settings.CheckAddress(address); err != nil {
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "url", Message: err.Error(), Hint: "write https://host/path"}
	}
	secret, err := secretOf("secret_file", c.SecretFile, c.SecretEnv)
	if err != nil {
		return nil, err
	}
	allowed, err := deliver.ParseNetworks(c.AllowPrivate)
	if err != nil {
		return nil, err
	}
	switch c.Type {
	case settings.ToWeCom:
		return deliver.NewWeCom(address, allowed), nil
	case settings.ToDingTalk:
		return deliver.NewDingTalk(address, secret, allowed), nil
	case settings.ToFeishu:
		return deliver.NewFeishu(address, secret, allowed), nil
	}
	return deliver.NewWebhook(address, secret, allowed), nil
}

func mailSender(c *settings.TargetConfig) (deliver.Sender, error) {
	host, port, err := settings.SplitServer(c.Server)
	if err != nil {
		return nil, err
	}
	password, err := secretOf("password_file", c.PasswordFile, c.PasswordEnv)
	if err != nil {
		return nil, err
	}
	return deliver.NewMail(deliver.MailConfig{Host: host, Port: port, Security: c.Security, User: c.User, Password: password, From: c.From, To: c.To}), nil
}
