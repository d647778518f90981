/* Moments: see the header. */
#include "proto/moment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_BYTES = 48,
    MS_PER_DAY = 24 * 60 * 60 * 1000,
};

static const double seconds_below = 1e11;
static const double latest_ms = 253402300799999.0; /* of the year 9999 */

/* --- ISO 8601 --- */

/* Exactly `count` digits. */
static bool take_digits(struct slice *rest, size_t count, int *value)
{
    *value = 0;
    if (rest->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        char c = rest->ptr[i];
        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
    }
    *rest = slice_from(*rest, count);
    return true;
}

static bool take_char(struct slice *rest, const char *any)
{
    if (rest->len == 0 || !rest->ptr[0] || !strchr(any, rest->ptr[0]))
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

/* Days since 1970 of the Gregorian calendar: years begin in March here, so that a leap
 * day is the last one. */
static int64_t days_of(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1;
    int m = (month + 9) % 12;

    return 365 * (int64_t)y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 -
           719468;
}

static bool take_date(struct slice *rest, int64_t *ms)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;

    if (!take_digits(rest, 4, &year) || !take_char(rest, "-") ||
        !take_digits(rest, 2, &month) || !take_char(rest, "-") ||
        !take_digits(rest, 2, &day))
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || month < 1 || month > 12 || day < 1 ||
        day > days[month - 1] + (month == 2 && is_leap))
        return false;
    *ms = days_of(year, month, day) * MS_PER_DAY;
    return true;
}

/* As many digits as there are; three count. */
static bool take_fraction(struct slice *rest, int64_t *ms)
{
    int scale = 100, digit;

    if (!take_digits(rest, 1, &digit))
        return false;
    do {
        *ms += (int64_t)digit * scale;
        scale /= 10;
    } while (take_digits(rest, 1, &digit));
    return true;
}

static bool take_time(struct slice *rest, int64_t *ms)
{
    int hours, minutes, seconds = 0;

    if (!take_digits(rest, 2, &hours) || !take_char(rest, ":") ||
        !take_digits(rest, 2, &minutes))
        return false;
    if (take_char(rest, ":") && !take_digits(rest, 2, &seconds))
        return false;
    if (hours > 23 || minutes > 59 || seconds > 60)
        return false;
    *ms += ((hours * 60 + minutes) * 60 + seconds) * (int64_t)1000;
    return !take_char(rest, ".,") || take_fraction(rest, ms);
}

static bool take_zone(struct slice *rest, int64_t *ms)
{
    bool is_ahead = rest->len > 0 && rest->ptr[0] == '+';
    int hours, minutes = 0;

    if (rest->len == 0 || take_char(rest, "Zz"))
        return true;
    if (!take_char(rest, "+-") || !take_digits(rest, 2, &hours))
        return false;
    take_char(rest, ":");
    if (rest->len > 0 && !take_digits(rest, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ms += (is_ahead ? -1 : 1) * (hours * 60 + minutes) * (int64_t)60000;
    return true;
}

bool moment_read_iso(struct slice text, int64_t *ms)
{
    if (!take_date(&text, ms))
        return false;
    if (text.len > 0 &&
        (!take_char(&text, "Tt ") || !take_time(&text, ms) || !take_zone(&text, ms)))
        return false;
    if (*ms < 0)
        *ms = 0;
    return text.len == 0;
}

/* --- numbers --- */

static bool read_number(struct slice text, enum moment_unit unit, int64_t *ms)
{
    char copy[NUMBER_BYTES];
    char *end;

    if (text.len == 0 || text.len >= sizeof copy ||
        !memchr("-0123456789", text.ptr[0], 11))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    double value = strtod(copy, &end);
    if (end != copy + text.len || strpbrk(copy, "xXpPnN"))
        return false;
    if (unit == MOMENT_S || (unit == MOMENT_AUTO && value < seconds_below))
        value *= 1000;
    if (!(value <= latest_ms))
        return false;
    *ms = value > 0 ? (int64_t)floor(value) : 0;
    return true;
}

bool moment_read(struct slice json, enum moment_unit unit, int64_t *ms)
{
    bool is_text = json.len >= 2 && json.ptr[0] == '"';
    struct slice text = is_text ? (struct slice){json.ptr + 1, json.len - 2} : json;

    if (is_text && (unit == MOMENT_AUTO || unit == MOMENT_ISO) &&
        moment_read_iso(text, ms))
        return true;
    return unit != MOMENT_ISO && read_number(text, unit, ms);
}
