/* What `sidecast bench` shows: see the header. */
#include "cli/cmd_bench_print.h"

#include "proto/units.h"

#include <inttypes.h>

enum {
    SECOND_US = 1000000,
    MIB = 1024 * 1024,
    BAR = 40,
    BUSY_PERCENT = 80
};

static uint64_t per_second(uint64_t count, uint64_t us)
{
    return us ? (uint64_t)((double)count * SECOND_US / (double)us) : 0;
}

static uint64_t server_cpu_us(const struct load_report *report)
{
    /* A process that ended took its count along. */
    return report->after.cpu_us > report->before.cpu_us
               ? report->after.cpu_us - report->before.cpu_us
               : 0;
}

static uint64_t run_us(const struct load_report *report)
{
    return report->deliver_us > report->publish_us ? report->deliver_us
                                                   : report->publish_us;
}

/* --- while it runs */

void bench_print_progress(FILE *out, const char *transport,
                          const struct load_progress *progress)
{
    char p95[LOAD_TIME_BYTES];

    load_time_print(progress->p95_us, p95);
    fprintf(out,
            "\r\033[K%s: %s %.1fs  %zu of %zu clients  %" PRIu64 " sent  %" PRIu64
            " received  p95=%s",
            transport, progress->phase, (double)progress->elapsed_us / SECOND_US,
            progress->connected, progress->clients, progress->sent, progress->received,
            p95);
    fflush(out);
}

void bench_clear_progress(FILE *out)
{
    fputs("\r\033[K", out);
    fflush(out);
}

/* --- for people */

static void print_crowd(FILE *out, const struct bench_row *row)
{
    const struct load_report *report = &row->report;
    const struct load_connecting *in = &report->in;

    fprintf(out, "%-9s  %9zu  %10" PRIu64 "  %9" PRIu64 "  %9" PRIu64 "  %9" PRIu64,
            row->transport, in->connected, per_second(in->connected, in->elapsed_us),
            report->accepted, report->received,
            per_second(report->received, report->deliver_us));
    fprintf(out, "  %5" PRIu64 "  %7" PRIu64 "  %10" PRIu64 "\n", report->lost,
            report->doubled, report->disordered);
}

static void print_times(FILE *out, const char *name,
                        const struct load_histogram *histogram)
{
    static const unsigned points[] = {500, 950, 990};
    char text[LOAD_TIME_BYTES];

    fprintf(out, "%-22s", name);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        load_time_print(load_histogram_at(histogram, points[i]), text);
        fprintf(out, "  %8s", text);
    }
    load_time_print(histogram->max, text);
    fprintf(out, "  %8s\n", text);
}

static double percent_of_run(const struct load_report *report, uint64_t cpu_us)
{
    uint64_t us = run_us(report);

    return us ? 100.0 * (double)cpu_us / (double)us : 0.0;
}

/* Who is busy all the time measures itself. */
static void print_client(FILE *out, const struct load_report *report)
{
    double percent = percent_of_run(report, report->own_cpu_us);

    fprintf(out, "this client            %.0f %% CPU%s\n", percent,
            percent > BUSY_PERCENT ? ": it may be what is slow, and not the server" : "");
}

static void print_server(FILE *out, const struct bench_row *row)
{
    const struct load_report *report = &row->report;
    uint64_t cpu_us = server_cpu_us(report);

    if (!row->has_server)
        return;
    fprintf(out,
            "server                 %.0f %% CPU, %.1f us for each delivery; %.1f MiB "
            "resident\n",
            percent_of_run(report, cpu_us),
            report->received ? (double)cpu_us / (double)report->received : 0.0,
            (double)report->after.rss_bytes / MIB);
    if (row->has_lag) {
        char text[LOAD_TIME_BYTES];
        load_time_print(row->lag_us, text);
        fprintf(out, "its loops              at most %s late\n", text);
    }
}

/* Powers of two, between the first and the last that have anything. */
static void print_histogram(FILE *out, const struct load_histogram *histogram)
{
    uint64_t below = 0;
    char text[LOAD_TIME_BYTES];

    for (uint64_t to = 128; below < histogram->count; to *= 2) {
        uint64_t seen = load_histogram_below(histogram, to);
        if (seen > 0) {
            double share = (double)(seen - below) / (double)histogram->count;
            load_time_print(to, text);
            fprintf(out, "  < %-8s %5.1f %%  %.*s\n", text, 100 * share,
                    (int)(share * BAR + 0.5), "########################################");
        }
        below = seen;
    }
}

static void print_failures(FILE *out, const struct load_report *report)
{
    if (report->in.refused > 0)
        fprintf(out, "%zu clients were refused: %s\n", report->in.refused,
                report->in.failure);
    if (report->closed > 0)
        fprintf(out, "%zu clients were lost: %s\n", report->closed,
                report->closed_because);
    if (report->failed > 0)
        fprintf(out, "%" PRIu64 " events were not accepted: %s\n", report->failed,
                report->failure);
    if (report->stray > 0)
        fprintf(out, "%" PRIu64 " events came to clients that are not in their room\n",
                report->stray);
    if (report->is_cut)
        fprintf(out, "ended early\n");
}

void bench_print_text(FILE *out, const struct bench_shape *shape,
                      const struct bench_row *rows, size_t count)
{
    char duration[UNITS_TEXT_BYTES], payload[UNITS_TEXT_BYTES], rate[40];

    units_print_duration(shape->duration_ms, duration);
    units_print_size(shape->payload_bytes, payload);
    if (shape->rate > 0)
        snprintf(rate, sizeof rate, "%" PRIu64 " event%s/s", shape->rate,
                 shape->rate == 1 ? "" : "s");
    else
        snprintf(rate, sizeof rate, "event after event");
    fprintf(out,
            "%" PRIu64 " client%s, each in %" PRIu64 " room%s, %s of %s into each room "
            "for %s\n\n",
            shape->clients, shape->clients == 1 ? "" : "s", shape->rooms,
            shape->rooms == 1 ? "" : "s", rate, payload, duration);
    fprintf(out, "%-9s  %9s  %10s  %9s  %9s  %9s  %5s  %7s  %10s\n", "transport",
            "connected", "connects/s", "published", "received", "received/s", "lost",
            "doubled", "disordered");
    for (size_t i = 0; i < count; i++)
        print_crowd(out, &rows[i]);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "\n%-22s  %8s  %8s  %8s  %8s\n", rows[i].transport, "p50", "p95",
                "p99", "max");
        print_times(out, "due to delivered", &rows[i].report.delivery);
        print_times(out, "due to accepted", &rows[i].report.answer);
        print_times(out, "socket to subscribed", &rows[i].report.in.connect);
        print_server(out, &rows[i]);
        print_client(out, &rows[i].report);
        print_histogram(out, &rows[i].report.delivery);
        print_failures(out, &rows[i].report);
    }
    fputc('\n', out);
}

/* --- for scripts */

static void add_row(struct buf *out, const char *scenario, const char *figure,
                    const char *unit, double value)
{
    buf_print(out,
              "%s{\"scenario\":\"%s\",\"figure\":\"%s\",\"unit\":\"%s\",\"value\":%.10g}",
              out->ptr[out->len - 1] == '[' ? "" : ",", scenario, figure, unit, value);
}

static void add_rows(struct buf *out, const struct bench_row *row)
{
    const struct load_report *report = &row->report;
    const struct load_histogram *delivery = &report->delivery;
    const char *name = row->transport;

    add_row(out, name, "p50", "us", (double)load_histogram_at(delivery, 500));
    add_row(out, name, "p95", "us", (double)load_histogram_at(delivery, 950));
    add_row(out, name, "p99", "us", (double)load_histogram_at(delivery, 990));
    add_row(out, name, "max", "us", (double)delivery->max);
    add_row(out, name, "connected", "clients", (double)report->in.connected);
    add_row(out, name, "refused", "clients", (double)report->in.refused);
    add_row(out, name, "closed", "clients", (double)report->closed);
    add_row(out, name, "connects", "1/s",
            (double)per_second(report->in.connected, report->in.elapsed_us));
    add_row(out, name, "published", "events", (double)report->accepted);
    add_row(out, name, "failed", "events", (double)report->failed);
    add_row(out, name, "expected", "events", (double)report->expected);
    add_row(out, name, "received", "events", (double)report->received);
    add_row(out, name, "rate", "1/s",
            (double)per_second(report->received, report->deliver_us));
    add_row(out, name, "lost", "events", (double)report->lost);
    add_row(out, name, "doubled", "events", (double)report->doubled);
    add_row(out, name, "disordered", "events", (double)report->disordered);
    add_row(out, name, "client_cpu", "us", (double)report->own_cpu_us);
    if (!row->has_server)
        return;
    add_row(out, name, "server_cpu", "us", (double)server_cpu_us(report));
    add_row(out, name, "server_rss", "bytes", (double)report->after.rss_bytes);
    if (row->has_lag)
        add_row(out, name, "server_loop_lag", "us", (double)row->lag_us);
}

void bench_print_json(FILE *out, const struct bench_shape *shape,
                      const struct bench_row *rows, size_t count,
                      const struct load_limits *limits)
{
    struct buf text = {.max = 64 * 1024}, verdict = {.max = LOAD_VERDICT_BYTES};
    const struct bench_row *worst = bench_worst(rows, count, limits);

    load_verdict_print(&verdict, limits, &worst->report);
    buf_print(&text, "{\"verdict\":\"%.*s\",\"summary\":\"%.*s\",\"version\":\"%s\"", 4,
              verdict.ptr, (int)verdict.len, verdict.ptr, SIDECAST_VERSION);
    buf_print(&text,
              ",\"clients\":%" PRIu64 ",\"rooms\":%" PRIu64 ",\"rate\":%" PRIu64
              ",\"size\":%" PRIu64 ",\"duration_ms\":%" PRIu64 ",\"runs\":1,\"rows\":[",
              shape->clients, shape->rooms, shape->rate, shape->payload_bytes,
              shape->duration_ms);
    for (size_t i = 0; i < count; i++)
        add_rows(&text, &rows[i]);
    buf_add_text(&text, "]}");
    fprintf(out, "%.*s\n", (int)text.len, text.ptr);
    buf_finish(&verdict);
    buf_finish(&text);
}

const struct bench_row *bench_worst(const struct bench_row *rows, size_t count,
                                    const struct load_limits *limits)
{
    const struct bench_row *worst = &rows[0];

    for (size_t i = 1; i < count; i++) {
        bool is_worst_kept = load_limits_are_kept(limits, &worst->report);
        bool is_kept = load_limits_are_kept(limits, &rows[i].report);
        uint64_t worst_p95 = load_histogram_at(&worst->report.delivery, 950);
        if (is_kept == is_worst_kept
                ? load_histogram_at(&rows[i].report.delivery, 950) > worst_p95
                : !is_kept)
            worst = &rows[i];
    }
    return worst;
}
