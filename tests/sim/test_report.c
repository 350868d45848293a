/*
 * What is shown of a run: the text says what did not happen, the JSON is well-formed and has what
 * is documented, and plots are asked for in a script that gnuplot can read.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swimsim/plot.h"
#include "swimsim/report.h"

#define NODES 9

/* Nine start; one is killed and found, another at the very end. */
static void collect_figures(struct figures *ret, bool is_eventful)
{
    struct sim_config config;
    struct collect_config collected;
    sim_config_default(&config, 3, NODES);
    struct sim *sim = sim_new(&config);
    collect_config_default(&collected, NODES);
    struct collect *collect = collect_new(sim, &collected);
    for (uint32_t i = 0; i < NODES; i++) {
        sim_add(sim);
        if (i > 0) {
            sim_seed_node(sim, i, 0);
        }
    }
    for (uint32_t i = 0; is_eventful && i < NODES; i++) {
        sim_start(sim, i);
    }
    for (uint32_t second = 0; second < 25; second++) {
        if (is_eventful && second == 5) {
            sim_crash(sim, 4);
        }
        if (is_eventful && second == 24) {
            sim_crash(sim, 6);
        }
        sim_run(sim, SIM_SECOND);
        collect_tick(collect);
    }
    collect_finish(collect, ret);
    collect_free(collect);
    sim_free(sim);
}

static struct report report_of(const struct figures *figures)
{
    return (struct report){.scenario = "two \"kills\"",
                           .about = "One is seen, one is not.",
                           .command = "swimsim run --seed 3",
                           .seed = UINT64_MAX,
                           .hides_machine = true,
                           .figures = figures};
}

static char *written(void (*write)(FILE *out, const struct report *report),
                     const struct report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write(out, report);
    fclose(out);
    return text;
}

static void expect_in(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL) {
        fail_msg("\"%s\" is missing in:\n%s", part, text != NULL ? text : "nothing at all");
    }
}

/* ---- Text -------------------------------------------------------------------------------- */

static void text_is_honest(void **state)
{
    (void)state;
    struct figures figures;
    collect_figures(&figures, true);
    struct report report = report_of(&figures);
    report.failure = "views: n3 and n5 differ";
    char *text = written(report_text, &report);
    expect_in(text, "two \"kills\": 9 nodes, 25.000 s of virtual time, seed 18446744073709551615\n"
                    "One is seen, one is not.\n");
    expect_in(text, "7 run at the end; 9 starts, 2 kills, 0 leaves, 0 faulted");
    expect_in(text, "NOT at the end");
    expect_in(text, "not all knew of n6 (killed at 24.000 s) by the end: 7 of 7 did not\n");
    expect_in(text, "again          swimsim run --seed 3\n");
    expect_in(text, "FAILED         views: n3 and n5 differ\n");
    assert_null(strstr(text, "machine"));
    free(text);
    figures_free(&figures);
}

/* One screen: at most 45 lines of at most 120 columns. */
static void text_fits_a_screen(void **state)
{
    (void)state;
    struct figures figures;
    collect_figures(&figures, true);
    struct report report = report_of(&figures);
    report.hides_machine = false;
    char *text = written(report_text, &report);
    size_t lines = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        lines++;
        assert_in_range(strlen(line), 1, 120);
    }
    assert_in_range(lines, 10, 45);
    free(text);
    figures_free(&figures);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void json_has_what_is_documented(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "{\"format\":1,\"scenario\":\"two \\\"kills\\\"\"",
        "\"seed\":\"18446744073709551615\"",
        "\"is_ok\":true,\"failure\":null",
        "\"killed\":2",
        "\"kills_unnoticed\":1",
        "\"kills_not_known_to_all\":0",
        "\"convergence\":{\"at_end\":false,\"since_s\":null",
        "\"kills\":{\"pairs\":15,",
        "\"share_all_s\":null",
        "\"events\":{\"joined\":72,",
        "\"anti_entropy\":{\"datagrams\":",
        "\"dropped_datagrams\":{",
        "\"suspicions_raised\":",
        "\"local_health_members_at_end\":[",
        "\"samples\":[{\"at_s\":1,\"running\":9,",
        "{\"kind\":\"kill\",\"node\":6,",
    };
    struct figures figures;
    collect_figures(&figures, true);
    struct report report = report_of(&figures);
    char *text = written(report_json, &report);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        expect_in(text, parts[i]);
    }
    assert_null(strstr(text, "machine"));
    assert_string_equal(text + strlen(text) - 2, "}\n");
    free(text);
    figures_free(&figures);
}

/* ---- Plots ------------------------------------------------------------------------------- */

static char *read_all(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "rb");
    FILE *copy = open_memstream(&text, &size);
    assert_non_null(file);
    assert_non_null(copy);
    for (int byte; (byte = getc(file)) != EOF;) {
        putc(byte, copy);
    }
    fclose(file);
    fclose(copy);
    return text;
}

/* Draws with a program in a directory of its own. Returns what it wrote, NULL when plot_write
 * failed; nothing else may be left in the directory. */
static char *plotted(const char *program, bool is_eventful, char *ret_error, size_t error_size)
{
    char directory[] = "/tmp/test_report.XXXXXX";
    char path[64];
    struct figures figures;
    char *text = NULL;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a 'plot'.svg", directory);
    collect_figures(&figures, is_eventful);
    struct report report = report_of(&figures);
    if (program != NULL) {
        setenv("SWIM_GNUPLOT", program, 1);
    } else {
        unsetenv("SWIM_GNUPLOT");
    }
    if (plot_write(path, &report, ret_error, error_size)) {
        text = read_all(path);
        unlink(path);
    }
    assert_int_equal(rmdir(directory), 0);
    figures_free(&figures);
    return text;
}

/* cat in place of gnuplot shows the script. */
static void the_script_has_data_and_four_plots(void **state)
{
    (void)state;
    char error[256];
    char *script = plotted("cat", true, error, sizeof error);
    assert_non_null(script);
    expect_in(script, "sprintf(\"%s: 9 nodes, seed 18446744073709551615\", \"two \\\"kills\\\"\")");
    expect_in(script, "$views << EOD\n1.000000 9 ");
    expect_in(script, "set title 'Membership'");
    expect_in(script, "set title 'Traffic'");
    expect_in(script, "set title 'Dissemination'");
    expect_in(script, "set title 'Detection'");
    expect_in(script, "$failed using 1:2");
    expect_in(script, "unset multiplot\n");
    free(script);
    script = plotted("cat", false, error, sizeof error);
    expect_in(script, "no kill was detected");
    free(script);
}

static void what_stops_a_plot_is_said(void **state)
{
    (void)state;
    char error[256];
    assert_null(plotted("/nonexistent/gnuplot", true, error, sizeof error));
    expect_in(error, "/nonexistent/gnuplot");
    expect_in(error, "gnuplot-nox");
    assert_null(plotted("false", true, error, sizeof error));
    expect_in(error, "\"false\" failed");
    assert_null(plotted("gunzip", true, error, sizeof error)); /* reads it, and fails then */
    expect_in(error, "\"gunzip\" failed");
    struct figures figures;
    collect_figures(&figures, false);
    struct report report = report_of(&figures);
    assert_false(plot_write("/nonexistent/a.svg", &report, error, sizeof error));
    expect_in(error, "/nonexistent/a.svg");
    figures_free(&figures);
}

/* Only where gnuplot is installed: SWIM_TEST_GNUPLOT says so. */
static void gnuplot_draws_it(void **state)
{
    (void)state;
    char error[256] = "";
    const char *program = getenv("SWIM_TEST_GNUPLOT");
    if (program == NULL || program[0] == '\0') {
        print_message("no gnuplot here\n");
        return;
    }
    for (int is_eventful = 0; is_eventful < 2; is_eventful++) {
        char *svg = plotted(program, is_eventful != 0, error, sizeof error);
        if (svg == NULL) {
            fail_msg("%s", error);
        }
        expect_in(svg, "<svg");
        expect_in(svg, "kills\": 9 nodes, seed 18446744073709551615");
        expect_in(svg, "</svg>");
        free(svg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_honest),
        cmocka_unit_test(text_fits_a_screen),
        cmocka_unit_test(json_has_what_is_documented),
        cmocka_unit_test(the_script_has_data_and_four_plots),
        cmocka_unit_test(what_stops_a_plot_is_said),
        cmocka_unit_test(gnuplot_draws_it),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
