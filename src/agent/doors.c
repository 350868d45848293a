/* What the daemon opens as it starts: the folder of its state, and all that it listens on. */
#include "agent/doors.h"

#include "agent/agent.h"
#include "agent/exit_code.h"

#include <errno.h>
#include <string.h>

static enum exit_code fail_to_listen(const char *what, const char *addr, const char *other_way)
{
    const char *hint = "";

    if (errno == EADDRINUSE)
        hint = ": stop the program that has it, or choose another port with ";
    else if (errno == EADDRNOTAVAIL)
        hint = ": no network interface here has this address; choose another with ";
    else if (errno == EACCES || errno == EPERM)
        hint = ": ports below 1024 are for root; choose another with ";
    return exit_code_fail(EXIT_CODE_BIND, "%s %s: cannot listen: %s%s%s", what, addr,
                          strerror(errno), hint, *hint == '\0' ? "" : other_way);
}

enum exit_code doors_open_socket(struct agent *agent)
{
    const struct agent_config *config = &agent->config;

    agent->udp = udp_open(&config->bind, &agent->bound);
    if (agent->udp == NULL)
        return fail_to_listen("UDP", address_text(&config->bind).text, "--bind ADDR:PORT");
    return EXIT_CODE_OK;
}

enum exit_code doors_open_state(struct agent *agent)
{
    struct config_error error;
    enum exit_code code = keeper_open(&agent->keeper, &agent->config, &error);

    if (code == EXIT_CODE_OK)
        return code;
    config_error_place(&error, &agent->config, &agent->config.state_place);
    return exit_code_fail(code, "%s", error.text);
}

enum exit_code doors_open_http(struct agent *agent)
{
    const struct agent_config *config = &agent->config;
    struct swim_addr addr = config->http_bind;
    struct config_error error;
    struct httpd_terms terms = {.handler = http_answer,
                                .context = &agent->source,
                                .connections_max = HTTPD_PUBLIC_CONNECTIONS,
                                .body_max = HTTPD_PUBLIC_BODY};

    if (config->metrics_port == 0)
        return EXIT_CODE_OK;
    addr.port = (uint16_t)config->metrics_port;
    agent->source = (struct http_source){.config = config,
                                         .swim = agent->swim,
                                         .events = agent->events,
                                         .context = agent,
                                         .collect = agent_collect};
    if (!http_token_load(&agent->source.token, config, &error))
        return exit_code_fail(EXIT_CODE_CONFIG, "%s", error.text);
    agent->httpd = httpd_new(agent->base, &addr, &terms);
    if (agent->httpd == NULL)
        return fail_to_listen("HTTP", address_text(&addr).text,
                              "--metrics-port N or --http-bind ADDR");
    return EXIT_CODE_OK;
}

enum exit_code doors_open_control(struct agent *agent)
{
    struct httpd_terms terms = {.handler = control_answer,
                                .context = &agent->control_source,
                                .connections_max = CONTROL_CONNECTIONS_MAX,
                                .is_control = true,
                                .body_max = CONTROL_BODY_MAX};
    struct config_error error;
    int fd;

    if (agent->config.control_socket[0] == '\0')
        return EXIT_CODE_OK;
    agent_offer_control(agent);
    fd = control_socket_open(&agent->control_socket, agent->config.control_socket, &error);
    if (fd < 0)
        return exit_code_fail(EXIT_CODE_BIND, "%s", error.text);
    agent->control = httpd_new_on(agent->base, fd, &terms);
    if (agent->control == NULL)
        return exit_code_fail(EXIT_CODE_FAILURE, "the control socket can't be set up: %s",
                              strerror(errno));
    return EXIT_CODE_OK;
}
