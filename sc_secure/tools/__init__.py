"""The programs behind the steps, and how they are run: each behind one small interface of ours."""
