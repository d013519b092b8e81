package imports

import (
	"fmt"
	"math/big"

	"milepost/schemas"
)

func (r *rowReader) amount(c *Cell) claim {
	if c.Column != "" {
		text, column := r.text(c)
		if text.value != "" && !text.fallback {
			if given := r.at(column); given.spread {
				r.wrong(c, column, text.value, "one amount is merged over several cells", "give each project its own amount")
			} else if amount, err := r.money(c, column, text.value); err != nil {
				r.wrong(c, column, text.value, err.Error(), amountHint(text.value))
			} else {
				return claim{value: r.reading.intern(amount.String())}
			}
		}
	}
	if c.Default == "" {
		return claim{}
	}
	amount, _ := parseAmount(c.Default, big.NewRat(1, 1)) // checked with the mapping
	return claim{value: amount.String(), fallback: true}
}

// money reads an amount by the unit that the cell names, else the mapping, else
// the column's name or a title.
func (r *rowReader) money(c *Cell, column, text string) (schemas.Money, error) {
	number, unit := splitAmount(text)
	switch {
	case unit != nil:
	case c.MultiplyBy != "" || c.DivideBy != "":
		unit = c.scale
	default:
		if unit = r.head.units[column]; unit == nil {
			unit = c.scale
		}
	}
	return parseAmount(number, unit)
}

// invested reads what was invested this year, which may be told as a part of
// the year's plan in the same row.
func (r *rowReader) invested(p *Progress, on schemas.Date) claim {
	c := p.InvestedYTD
	given := r.at(c.Column)
	share, ok := parsePercent(given.text)
	if !ok || !c.PercentOfPlan || given.spread {
		return r.amount(c)
	}
	month := on.Month()
	if p.Month == "previous" {
		month--
	}
	for _, y := range r.row.plans {
		if y.year == month.Year() || y.year == 0 && on.Year() == month.Year() {
			if amount, err := parseAmount(y.value, share); err == nil {
				return claim{value: r.reading.intern(amount.String())}
			}
		}
	}
	r.wrong(c, c.Column, given.text, fmt.Sprintf("a percentage, and the row has no plan of %d that it could be of", month.Year()), "fill in the plan, or write the amount")
	return claim{}
}
