import './base.css';
import './course.css';
import './sandbox.css';
import './instructor.css';
import './author.css';
import './grading.css';
import './runs.css';
import './picture.css';
