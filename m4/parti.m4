# PARTI_WARNINGS(FLAGS): keeps in WARN_CFLAGS those that this compiler knows.
AC_DEFUN([PARTI_WARNINGS], [
    WARN_CFLAGS=
    for flag in m4_normalize([$1]); do
        AC_MSG_CHECKING([whether $CC takes $flag])
        saved_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS -Werror $flag"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
            [AC_MSG_RESULT([yes]); WARN_CFLAGS="$WARN_CFLAGS $flag"],
            [AC_MSG_RESULT([no])])
        CFLAGS=$saved_CFLAGS
    done
])
