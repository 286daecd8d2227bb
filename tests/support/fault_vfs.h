/* SPDX-License-Identifier: MIT
 * fault_vfs: SQLite's access to files with faults that a test orders: from the n-th
 * operation of the chosen kinds on, a number of them fail with a code of the test's. It
 * counts reads too. In front of the ordinary VFS, as the default, until removed. */
#ifndef MMLAG_TESTS_FAULT_VFS_H
#define MMLAG_TESTS_FAULT_VFS_H

#include <sqlite3.h>
#include <stddef.h>

enum fault_kind {
	FAULT_WRITE = 1,
	FAULT_SYNC = 2,
	FAULT_TRUNCATE = 4,
	FAULT_OPEN = 8,
	FAULT_READ = 16,
	FAULT_LATE = 32, /* a write that is done, and then said to have failed */
};

static struct {
	int kinds;  /* of enum fault_kind: which are counted and may fail */
	int after;  /* so many still succeed; negative: no faults */
	int length; /* so many fail then */
	int code;   /* SQLite's; a sync fails with SQLITE_IOERR_FSYNC always */
	int failed; /* so many have failed */
	int reads;
	void (*sync)(void);     /* called in each sync: a slow disk */
	void (*on_write)(void); /* called while a write is under way */
} fault;

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs fault_vfs;
static sqlite3_vfs *fault_real;

static int fault_now(enum fault_kind kind)
{
	if (fault.after < 0 || (fault.kinds & (int)kind) == 0)
		return SQLITE_OK;
	if (fault.after > 0) {
		fault.after--;
		return SQLITE_OK;
	}
	if (fault.length <= 0)
		return SQLITE_OK;
	fault.length--;
	fault.failed++;
	return kind == FAULT_SYNC ? SQLITE_IOERR_FSYNC : fault.code;
}

static sqlite3_file *fault_below(sqlite3_file *f)
{
	return ((struct fault_file *)f)->real;
}

#define FAULT_PASS(name, params, args)                         \
	static int fault_##name params                         \
	{                                                      \
		return fault_below(f)->pMethods->x##name args; \
	}

FAULT_PASS(Close, (sqlite3_file * f), (fault_below(f)))
FAULT_PASS(FileSize, (sqlite3_file * f, sqlite3_int64 *n), (fault_below(f), n))
FAULT_PASS(Lock, (sqlite3_file * f, int l), (fault_below(f), l))
FAULT_PASS(Unlock, (sqlite3_file * f, int l), (fault_below(f), l))
FAULT_PASS(CheckReservedLock, (sqlite3_file * f, int *r), (fault_below(f), r))
FAULT_PASS(FileControl, (sqlite3_file * f, int op, void *p), (fault_below(f), op, p))
FAULT_PASS(SectorSize, (sqlite3_file * f), (fault_below(f)))
FAULT_PASS(DeviceCharacteristics, (sqlite3_file * f), (fault_below(f)))
FAULT_PASS(ShmMap, (sqlite3_file * f, int i, int n, int w, void volatile **p),
	   (fault_below(f), i, n, w, p))
FAULT_PASS(ShmLock, (sqlite3_file * f, int at, int n, int flags),
	   (fault_below(f), at, n, flags))
FAULT_PASS(ShmUnmap, (sqlite3_file * f, int del), (fault_below(f), del))

static void fault_ShmBarrier(sqlite3_file *f)
{
	fault_below(f)->pMethods->xShmBarrier(fault_below(f));
}

static int fault_Read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	int rc = fault_now(FAULT_READ);

	fault.reads++;
	return rc != SQLITE_OK
		       ? rc
		       : fault_below(f)->pMethods->xRead(fault_below(f), p, n, at);
}

/* Half of what should have been written is. */
static int fault_Write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = fault_now(FAULT_WRITE);

	if (fault.on_write != NULL)
		fault.on_write();
	if (rc == SQLITE_OK) {
		rc = fault_below(f)->pMethods->xWrite(fault_below(f), p, n, at);
		return rc != SQLITE_OK ? rc : fault_now(FAULT_LATE);
	}
	(void)fault_below(f)->pMethods->xWrite(fault_below(f), p, n / 2, at);
	return rc;
}

static int fault_Truncate(sqlite3_file *f, sqlite3_int64 n)
{
	int rc = fault_now(FAULT_TRUNCATE);

	return rc != SQLITE_OK ? rc
			       : fault_below(f)->pMethods->xTruncate(fault_below(f), n);
}

/* No test of ours cuts the power: a sync that succeeds does nothing, quickly. */
static int fault_Sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	if (fault.sync != NULL)
		fault.sync();
	return fault_now(FAULT_SYNC);
}

static const sqlite3_io_methods fault_methods = {
	.iVersion = 2,
	.xClose = fault_Close,
	.xRead = fault_Read,
	.xWrite = fault_Write,
	.xTruncate = fault_Truncate,
	.xSync = fault_Sync,
	.xFileSize = fault_FileSize,
	.xLock = fault_Lock,
	.xUnlock = fault_Unlock,
	.xCheckReservedLock = fault_CheckReservedLock,
	.xFileControl = fault_FileControl,
	.xSectorSize = fault_SectorSize,
	.xDeviceCharacteristics = fault_DeviceCharacteristics,
	.xShmMap = fault_ShmMap,
	.xShmLock = fault_ShmLock,
	.xShmBarrier = fault_ShmBarrier,
	.xShmUnmap = fault_ShmUnmap,
};

static int fault_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
		      int *out)
{
	struct fault_file *file = (struct fault_file *)f;
	int rc = fault_now(FAULT_OPEN);

	(void)v;
	f->pMethods = NULL;
	if (rc != SQLITE_OK)
		return SQLITE_CANTOPEN;
	file->real = (sqlite3_file *)(file + 1);
	rc = fault_real->xOpen(fault_real, name, file->real, flags, out);
	if (rc == SQLITE_OK)
		f->pMethods = &fault_methods;
	return rc;
}

static void fault_install(void)
{
	if (fault_real == NULL) /* a test that failed may not have removed it */
		fault_real = sqlite3_vfs_find(NULL);
	fault_vfs = *fault_real;
	fault_vfs.zName = "fault";
	fault_vfs.szOsFile = (int)sizeof(struct fault_file) + fault_real->szOsFile;
	fault_vfs.xOpen = fault_open;
	fault.after = -1;
	fault.reads = fault.failed = 0;
	sqlite3_vfs_register(&fault_vfs, 1);
}

static void fault_remove(void)
{
	sqlite3_vfs_unregister(&fault_vfs);
	sqlite3_vfs_register(fault_real, 1);
}

/* The two as a group's set-up and end, for tests that only want quick syncs. */
__attribute__((unused)) static int fault_group_setup(void **state)
{
	(void)state;
	fault_install();
	return 0;
}

__attribute__((unused)) static int fault_group_teardown(void **state)
{
	(void)state;
	fault_remove();
	return 0;
}

/* Let `length` operations fail with `code` after `after` good ones; -1: no faults. */
__attribute__((unused)) static void fault_order(int kinds, int after, int length,
						int code)
{
	fault.kinds = kinds;
	fault.after = after;
	fault.length = length;
	fault.code = code;
	fault.failed = 0;
}

#endif
