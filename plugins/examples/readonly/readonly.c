/* A plugin without any library: while a file exists, requests that would change something are answered 503.
 *
 *   cc -O2 -Wall -Wextra -o readonly readonly.c
 *
 * The file is named by READONLY_FILE, /run/wfx/readonly if unset. It shows all there is to the protocol: frames of a
 * 4-byte little-endian length and a FlatBuffer, of which two fields matter here, and two constant answers into which
 * the cookie is put. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ = 0, UNKNOWN = -1, LONGEST_FRAME = 1 << 30, COOKIE_IN_PASS = 24, COOKIE_IN_REFUSAL = 32 };

/* PluginResponse{cookie} and PluginResponse{cookie, payload: Response{status: Unavailable, content}}. */
static const unsigned char PASS[] = {
    0x1c, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x08, 0, 0x0c, 0, 0, 0, 0x04, 0, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
static const unsigned char REFUSAL[] = {
    0x68, 0, 0, 0, 0x10, 0, 0, 0, 0x0c, 0, 0x1a, 0, 0, 0, 0x0c, 0, 0x0b, 0, 0x04, 0, 0x0c, 0, 0, 0, 0x20, 0, 0, 0,
    0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0x0c, 0, 0x08, 0, 0, 0, 0x04, 0,
    0x0a, 0, 0, 0, 0x08, 0, 0, 0, 0x03, 0, 0, 0, 0x22, 0, 0, 0,
    'm', 'a', 'i', 'n', 't', 'e', 'n', 'a', 'n', 'c', 'e', ':', ' ', 'o', 'n', 'l', 'y', ' ', 'r', 'e', 'a', 'd',
    'i', 'n', 'g', ' ', 'i', 's', ' ', 'o', 'p', 'e', 'n', '\n', 0, 0};

typedef struct {
  const unsigned char *bytes;
  uint64_t length;
} Frame;

/* A little-endian number of `width` bytes; leaving the frame ends the plugin, and with it the server: the two no
 * longer understand each other. */
static uint64_t number(Frame frame, uint64_t at, unsigned width) {
  uint64_t value = 0;
  if (at > frame.length || width > frame.length - at) {
    fputs("readonly: malformed request\n", stderr);
    exit(1);
  }
  for (unsigned i = 0; i < width; i++) value |= (uint64_t)frame.bytes[at + i] << (8 * i);
  return value;
}

/* The position of field `index` of the table at `table`, 0 if it is absent. */
static uint64_t field(Frame frame, uint64_t table, unsigned index) {
  uint64_t vtable = table - (uint64_t)(int64_t)(int32_t)number(frame, table, 4);
  uint64_t slot = 4 + 2 * (uint64_t)index;
  uint64_t offset = slot < number(frame, vtable, 2) ? number(frame, vtable + slot, 2) : 0;
  return offset ? table + offset : 0;
}

static int action(Frame frame, uint64_t root) {
  uint64_t at = field(frame, root, 2);
  if (!at) return UNKNOWN;
  uint64_t in_request = field(frame, at + number(frame, at, 4), 2);
  return in_request ? (int)number(frame, in_request, 1) : READ;
}

static int read_all(unsigned char *to, size_t length) {
  while (length > 0) {
    ssize_t got = read(STDIN_FILENO, to, length);
    if (got == 0 || (got < 0 && errno != EINTR)) return 0;
    if (got > 0) to += got, length -= (size_t)got;
  }
  return 1;
}

static void answer(const unsigned char *template, size_t length, size_t cookie_at, uint64_t cookie) {
  unsigned char frame[sizeof REFUSAL];
  memcpy(frame, template, length);
  for (unsigned i = 0; i < 8; i++) frame[cookie_at + i] = (unsigned char)(cookie >> (8 * i));
  for (size_t done = 0; done < length;) {
    ssize_t wrote = write(STDOUT_FILENO, frame + done, length - done);
    if (wrote < 0 && errno != EINTR) exit(1);
    if (wrote > 0) done += (size_t)wrote;
  }
}

int main(void) {
  const char *file = getenv("READONLY_FILE");
  unsigned char prefix[4];
  while (read_all(prefix, sizeof prefix)) {
    uint64_t length = number((Frame){prefix, sizeof prefix}, 0, 4);
    unsigned char *bytes = length <= LONGEST_FRAME ? malloc(length) : NULL;
    if (!bytes || !read_all(bytes, length)) return 1;
    Frame frame = {bytes, length};
    uint64_t root = number(frame, 0, 4);
    uint64_t cookie_at = field(frame, root, 1);
    uint64_t cookie = cookie_at ? number(frame, cookie_at, 8) : 0;
    if (action(frame, root) == READ || access(file ? file : "/run/wfx/readonly", F_OK) != 0)
      answer(PASS, sizeof PASS, COOKIE_IN_PASS, cookie);
    else
      answer(REFUSAL, sizeof REFUSAL, COOKIE_IN_REFUSAL, cookie);
    free(bytes);
  }
  return 0; /* the server has gone */
}
