//! Pages that want more than they are worth: counted in nodes, not timed.

use proptest::prelude::*;

use super::*;

/// What an empty page is made of: the document, `html`, `head` and `body`.
const EMPTY: usize = 4;
/// The text of a script in a player: below the document, `html`, `body`, the player and the script.
const DEPTH: usize = 5;

/// The nodes of the tree that is built for a page, and how deep they are nested.
fn size(html: &str) -> (usize, usize) {
    let page = Page::read(html, &url("https://site.example/"));
    let depth = page.document.tree.nodes().map(|node| node.ancestors().count()).max();
    (page.document.tree.nodes().count(), depth.unwrap_or(0))
}

#[test]
fn markup_that_grows_to_millions_of_nodes_grows_to_none() {
    // Each paragraph closes all the formatting in the one before, and opens it again: 29 kB, 1,400 × 3,500 nodes.
    let tags = ["b", "i", "em", "font", "strong"];
    let formatting: String = (0..1_400).map(|number| format!("<{} x={number}>", tags[number % tags.len()])).collect();
    let page = format!("<p><a href=x>{formatting}{}<video src=v.mp4>", "<p>x".repeat(3_500));
    assert!((25_000..32_000).contains(&page.len()), "{}", page.len());
    assert_eq!(size(&page), (EMPTY + 2, 3), "the link and the video");
    assert_eq!(urls(&read_page(&page)), ["https://site.example/dir/v.mp4"]);
}

#[test]
fn a_tree_has_few_nodes_and_no_depth_whatever_is_repeated() {
    let formatting: String = (0..20_000).map(|number| format!("<b id={number}>")).collect();
    for open in ["<p>x", "<a href=", "<script>", "<!--", "<div a b c d", "</", "<title>", "<"] {
        let (nodes, depth) = size(&(formatting.clone() + &open.repeat(20_000)));
        assert!(nodes <= EMPTY + 2 && depth <= DEPTH, "{open}: {nodes} nodes, {depth} deep");
    }
    for open in ["<a href=x>", "<video><source src='", "<video><source>", "<blockquote>", "<title>x</title>", "<table>"]
    {
        let (nodes, depth) = size(&open.repeat(20_000));
        assert!(nodes <= EMPTY + 2 * 2_000 && depth <= DEPTH, "{open}: {nodes} nodes, {depth} deep");
    }
    let attributes: String = (0..100_000).map(|number| format!(" a{number}=x src=y")).collect();
    assert_eq!(size(&format!("<iframe{attributes}>")).0, EMPTY + 1);
}

#[test]
fn text_is_no_markup() {
    let found = read_page(
        r#"<title>One &lt;b&gt; &#x4e8c;</title><style><a href="1.mp3"></style><textarea><a href="2.mp3"></textarea>
        <script>"<!-- <script>"; x = {file: "3.mp3"}</script><iframe src=f><a href="4.mp3"></iframe>
        <script type=application/LD+json>{"@type": "VideoObject", "name": "<!-- <script>"}</script>
        <noscript><audio src='5.mp3?a=&quot;&#38;copy=1&copy=2'></audio></noscript>"#,
    );
    let wanted = ["https://site.example/dir/5.mp3?a=%22&copy=1&copy=2", "https://site.example/dir/3.mp3"];
    assert_eq!(urls(&found), wanted);
    assert_eq!(found.about.title.as_deref(), Some("<!-- <script>"));
    assert_eq!(read_page("<svg><title>One &lt;b&gt; &#x4e8c;").about.title.as_deref(), Some("One <b> 二"));
}

proptest! {
    #[test]
    fn a_tree_grows_with_the_tags_and_not_faster(pieces in proptest::collection::vec(prop_oneof![
        Just("<a href=x>"), Just("</a>"), Just("<b>"), Just("</b>"), Just("<font color=1>"), Just("<nobr>"), Just("<p>"), Just("</p>"),
        Just("<table>"), Just("<tr>"), Just("<select>"), Just("<svg>"), Just("<math>"), Just("<template>"), Just("<frameset>"), Just("<plaintext>"),
        Just("<video>"), Just("</audio>"), Just("<source src=x>"), Just("<script>"), Just("<!--"), Just("-->"), Just("</script>"), Just("<title>"),
        Just("</title>"), Just("<iframe src='"), Just("\">"), Just("'>"), Just("<body class="), Just("<html>"), Just("x"), Just("&amp"),
    ], 0..60)) {
        let (nodes, depth) = size(&pieces.concat());
        prop_assert!(nodes <= EMPTY + 2 * pieces.len() && depth <= DEPTH, "{nodes} nodes, {depth} deep");
    }
}
