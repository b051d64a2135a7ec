/*
 * A program of core and base and nothing else. That it links at all is the
 * proof that core needs no event loop, no database client and no HTTP client;
 * scripts/check-layers looks at what it links.
 */
int
main(void)
{
	return 0;
}
