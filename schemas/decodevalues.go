package schemas

import "bytes"

func (d *decoder) date(out *Date) *Error {
	content, start, err := d.chars(defDate)
	if err != nil {
		return err
	}
	day, ok := parseDate(string(content))
	if !ok || day < FirstDate || day > LastDate {
		return defDate.broken(d.src[start:d.pos])
	}
	*out = day
	return nil
}

func (d *decoder) month(out *Month) *Error {
	content, start, err := d.chars(defMonth)
	if err != nil {
		return err
	}
	month, parseErr := ParseMonth(string(content))
	if parseErr != nil {
		return defMonth.broken(d.src[start:d.pos])
	}
	*out = month
	return nil
}

// hundredths reads a number exactly, from lowest to highest hundredths, in
// steps of so many hundredths.
func (d *decoder) hundredths(rule def, lowest, highest, step int64) (int64, *Error) {
	if c := d.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, d.wrong(rule)
	}
	number, err := d.number()
	if err != nil {
		return 0, err
	}
	units, ok := shortHundredths(number)
	if !ok {
		units, ok = parseHundredths(string(number))
	}
	if !ok || units < lowest || units > highest || units%step != 0 {
		return 0, rule.broken(number)
	}
	return units, nil
}

// shortHundredths reads the usual spellings: some digits, and perhaps a point
// and one or two more.
func shortHundredths(number []byte) (int64, bool) {
	if len(number) > 16 {
		return 0, false
	}
	decimals := 0
	if i := bytes.IndexByte(number, '.'); i >= 0 {
		decimals = len(number) - i - 1
	}
	if decimals > 2 {
		return 0, false
	}
	var units int64
	for _, c := range number {
		if c == '.' {
			continue
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		units = units*10 + int64(c-'0')
	}
	for ; decimals < 2; decimals++ {
		units *= 10
	}
	return units, true
}

func (d *decoder) money(out *Money) *Error {
	units, err := d.hundredths(defMoney, 0, int64(MaxMoney), 1)
	*out = Money(units)
	return err
}

func (d *decoder) moneyGiven(out **Money) *Error {
	amount := new(Money)
	if err := d.money(amount); err != nil {
		return err
	}
	*out = amount
	return nil
}

func (d *decoder) integer(rule def, lowest, highest int64) (int64, *Error) {
	units, err := d.hundredths(rule, lowest*100, highest*100, 100)
	return units / 100, err
}

func (d *decoder) flag(out *bool) *Error {
	switch d.peek() {
	case 't':
		*out = true
		return d.literal("true")
	case 'f':
		*out = false
		return d.literal("false")
	}
	return d.wrong(defFlag)
}

func (d *decoder) flagGiven(out **bool) *Error {
	value := new(bool)
	if err := d.flag(value); err != nil {
		return err
	}
	*out = value
	return nil
}

func (d *decoder) milestone(out *Milestone) *Error {
	content, start, err := d.chars(defMilestone)
	if err != nil {
		return err
	}
	m, ok := ParseMilestone(string(content))
	if !ok {
		return defMilestone.broken(d.src[start:d.pos])
	}
	*out = m
	return nil
}
