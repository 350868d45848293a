/* What the reports share. */
#ifndef SWIM_SWIMSIM_REPORT_PRIVATE_H
#define SWIM_SWIMSIM_REPORT_PRIVATE_H

#include "swimsim/report.h"

/* "ping_req"; "other" for kinds that docs/protocol.md does not name. */
const char *report_kind_name(uint32_t kind);

static inline double report_seconds(uint64_t ns)
{
    return (double)ns / (double)SIM_SECOND;
}

#endif
