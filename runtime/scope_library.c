/* SPDX-License-Identifier: MIT
 *
 * libsystemd, opened where a scope is made.  It brings compression and cryptography that most starts of a guest have no
 * use for, so numac-agent is not linked to it: the functions that scope.c calls under their usual names stand here, and
 * each looks for the real one when it is first called.  One more function is one more line here; the linker says which.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#include <systemd/sd-bus.h>

static void *find(const char *name)
{
    static void *library;
    if (!library)
        library = dlopen(SYSTEMD_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    return library ? dlsym(library, name) : NULL;
}

/* What cannot be called fails like a call that the library refuses. */
#define FORWARD(result, failure, name, parameters, arguments) \
    result name parameters                                    \
    {                                                         \
        static __typeof__(name) *real;                        \
        if (!real)                                            \
            *(void **)&real = find(#name);                    \
        return real ? real arguments : (failure);             \
    }
#define FORWARD_CALL(name, parameters, arguments) FORWARD(int, -ELIBACC, name, parameters, arguments)

/* ---- the bus ---------------------------------------------------------------------------------------------------- */
FORWARD_CALL(sd_bus_new, (sd_bus * *out), (out))
FORWARD_CALL(sd_bus_set_address, (sd_bus * bus, const char *address), (bus, address))
FORWARD_CALL(sd_bus_start, (sd_bus * bus), (bus))
FORWARD_CALL(sd_bus_open_system, (sd_bus * *out), (out))
FORWARD_CALL(sd_bus_open_user, (sd_bus * *out), (out))
FORWARD_CALL(sd_bus_call,
             (sd_bus * bus, sd_bus_message *message, uint64_t microseconds, sd_bus_error *error,
              sd_bus_message **answer),
             (bus, message, microseconds, error, answer))
FORWARD(sd_bus *, NULL, sd_bus_unref, (sd_bus * bus), (bus))

/* ---- messages --------------------------------------------------------------------------------------------------- */
FORWARD_CALL(sd_bus_message_new_method_call,
             (sd_bus * bus, sd_bus_message **out, const char *to, const char *path, const char *interface,
              const char *member),
             (bus, out, to, path, interface, member))
FORWARD_CALL(sd_bus_message_open_container, (sd_bus_message * message, char type, const char *contents),
             (message, type, contents))
FORWARD_CALL(sd_bus_message_close_container, (sd_bus_message * message), (message))
FORWARD_CALL(sd_bus_message_append_array, (sd_bus_message * message, char type, const void *bytes, size_t length),
             (message, type, bytes, length))
FORWARD_CALL(sd_bus_message_appendv, (sd_bus_message * message, const char *types, va_list values),
             (message, types, values))
FORWARD(sd_bus_message *, NULL, sd_bus_message_unref, (sd_bus_message * message), (message))

int sd_bus_message_append(sd_bus_message *message, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    int result = sd_bus_message_appendv(message, types, values);
    va_end(values);
    return result;
}

void sd_bus_error_free(sd_bus_error *error)
{
    static __typeof__(sd_bus_error_free) *real;
    if (!real)
        *(void **)&real = find("sd_bus_error_free");
    if (real)
        real(error);
}
