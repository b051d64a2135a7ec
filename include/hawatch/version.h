/* The version of all programs; scripts/check-docs compares it with meson's. */
#ifndef HAWATCH_VERSION_H
#define HAWATCH_VERSION_H

#define HAWATCH_VERSION "0.1.0"

#endif
