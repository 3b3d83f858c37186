/** Text as a YAML value, in the form that Prettier leaves alone. */
export function yamlText(text: string): string {
    // Plain where nothing in it could mean anything else.
    if (/^[A-Za-z][A-Za-z0-9 _.,-]*[A-Za-z0-9]$/.test(text)) return text;
    const plain = !/[\\\p{Cc}\u2028\u2029]/u.test(text);
    return plain && text.includes('"') ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
}
