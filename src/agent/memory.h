/* Memory that the start needs, and that nothing needs afterwards, goes back to the kernel. */
#ifndef SWIM_AGENT_MEMORY_H
#define SWIM_AGENT_MEMORY_H

/* Once, before anything is allocated: what is large is to have mappings of its own, which are zero,
 * untouched until they are used, and gone when they are freed. */
void memory_prepare(void);
/* Gives back what lies below the caller's stack frame, and what the heap has free. To be called when
 * something large is over: the settings are read, the parts made. */
void memory_trim(void);

#endif
